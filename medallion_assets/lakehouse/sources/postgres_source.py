"""A PostgreSQL table, followed by the column that says when a row was last changed.

An offset's value is the greatest value of that column, in UTC to the microsecond, so that offsets sort as texts; a
date counts as midnight. Rows with a time ahead of our clock, or infinity, are pulled but do not move the offset. Rows
without a time are pulled each time.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from itertools import pairwise
from typing import Any

import psycopg
from psycopg import sql
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from medallion_assets.contracts.bronze import FollowTable
from medallion_assets.contracts.days import as_moment
from medallion_assets.contracts.technical_columns import SOURCE_MODIFIED_AT
from medallion_assets.contracts.watermark import SourceOffset
from medallion_assets.lakehouse.sources.base import Batch, Compared, SourceError
from medallion_assets.lakehouse.sources.postgres_connection import described, read, session
from medallion_assets.lakehouse.spark.expressions import quoted

CONTRACT = FollowTable

OBSERVE_SECONDS = 20
WATERMARKS = ("timestamptz", "timestamp", "date")
FIRST = datetime(1, 1, 2, tzinfo=timezone.utc)
"""Earlier times, -infinity among them, do not move the offset; Python knows no earlier day."""

_WATERMARK = sql.Identifier("watermark")


def observe(source: FollowTable, since: SourceOffset | None) -> SourceOffset:
    """The current offset, by an index on the watermark; `since` itself where the rows within the overlap are the same.

    No JVM, no data. For a table that was never read the offset is empty: it only shows that the table can be read.
    SourceError where it cannot, or where there is no answer within OBSERVE_SECONDS.
    """
    with session(source, OBSERVE_SECONDS) as connection:
        table = _open(connection, source)
        if since is None:
            return SourceOffset("")
        now = _state(connection, table, since.value).offset
        return since if (now.row_count, now.state_token) == (since.row_count, since.state_token) else now


@contextmanager
def pull(spark: SparkSession, source: FollowTable, since: SourceOffset | None) -> Iterator[Batch]:
    """The rows since the offset less the overlap, or (None) all; every field as text.

    Rows and offset are of one snapshot, which the context keeps open. SourceError for a table that is empty now.
    """
    with session(source) as connection:
        table, value = _open(connection, source), since.value if since else ""
        if value and _answer(connection, sql.SQL("SELECT NOT EXISTS (SELECT FROM {})").format(table.name))[0]:
            raise SourceError(
                f"{described(source)}: it is empty and was followed to {value}: if it was truncated, restore it; "
                "if it should be read from the start again, run the job reset_watermark"
            )
        state = _state(connection, table, value)
        reached = _state(connection, table, state.offset.value).offset
        yield Batch(_rows(spark, connection, table, value, state), reached, exact=False)


def against(source: FollowTable, stored: DataFrame, batch: Batch, since: SourceOffset | None) -> Compared:
    """The rows that `stored` does not have with the same fields; only its rows within the overlap are compared.

    Needs: `stored._source_modified_at`, the watermark as a timestamp.
    """
    if since and since.value:
        overlap = F.lit(since.value).cast("timestamp") - F.lit(source.overlap)
        changed = F.col(SOURCE_MODIFIED_AT)
        stored = stored.where((changed >= overlap) | changed.isNull())
    hashes = stored.select(_hash(stored).alias("_stored_hash"))
    return Compared(batch.rows.join(hashes, _hash(batch.rows) == F.col("_stored_hash"), "left_anti"))


def _hash(rows: DataFrame) -> Column:
    """Over all fields by name. NULLs are left out, so that a new column without values changes no hash."""
    names = sorted(name for name in rows.columns if not name.startswith("_"))
    return F.sha2(F.to_json(F.struct(*map(quoted, names))), 256)


def as_offset(source: FollowTable, text: str) -> SourceOffset:
    """A time of change of a row; in UTC where it names no zone."""
    try:
        moment = as_moment(text)
    except ValueError:
        raise SourceError("give a time, such as 2026-01-05T10:00:00") from None
    return SourceOffset(moment.astimezone(timezone.utc).isoformat(timespec="microseconds"))


def label(source: FollowTable, since: SourceOffset | None) -> str:
    return since.value if since else "start"


def changed_at(source: FollowTable) -> Column:
    """The watermark of the row; NULL where it is no time."""
    return quoted(source.watermark).try_cast("timestamp")


@dataclass(frozen=True)
class _Table:
    """The source's table as the session sees it."""

    source: FollowTable
    columns: tuple[str, ...] = ()

    @property
    def name(self) -> sql.Identifier:
        return sql.Identifier(*self.source.table.split("."))

    @property
    def watermark(self) -> sql.Identifier:
        return sql.Identifier(self.source.watermark)

    def since(self, value: str) -> sql.Composable:
        """The predicate of the rows from an offset's value less the overlap on; of all rows without a value."""
        if not value:
            return sql.SQL("true")
        start = _at(datetime.fromisoformat(value) - self.source.overlap)
        return sql.SQL("({w} >= {start} OR {w} IS NULL)").format(w=self.watermark, start=start)


@dataclass(frozen=True)
class _State:
    """The offset, and the earliest and latest time that may move it."""

    offset: SourceOffset
    first: datetime | None
    last: datetime | None


def _at(moment: datetime) -> sql.Composed:
    """A time in SQL. Dates and times without a zone compare with it as UTC, and can use their index."""
    return sql.SQL("{}::timestamptz").format(moment.isoformat())


def _answer(connection: psycopg.Connection, question: sql.Composed) -> tuple[Any, ...]:
    row = connection.execute(question).fetchone()
    assert row is not None
    return row


def _open(connection: psycopg.Connection, source: FollowTable) -> _Table:
    """The table with its columns of now. SourceError where the watermark is missing or is no time."""
    head = connection.execute(sql.SQL("SELECT * FROM {} LIMIT 0").format(_Table(source).name)).description
    kinds = {column.name: column.type_display for column in head or ()}
    kind = kinds.get(source.watermark)
    if kind is None:
        fix = f"it has no column {source.watermark}: correct `watermark` in the contract"
        raise SourceError(f"{described(source)}: {fix}")
    if kind.split("(")[0] not in WATERMARKS:
        fix = f"the watermark {source.watermark} is {kind}; follow a column of type {', '.join(WATERMARKS)}"
        raise SourceError(f"{described(source)}: {fix}")
    return _Table(source, tuple(kinds))


def _state(connection: psycopg.Connection, table: _Table, value: str) -> _State:
    """How far the table reaches from an offset's value on: one query, which can use an index on the watermark."""
    now = datetime.now(timezone.utc)  # an offset ahead of now would hide rows that are changed until then
    valid = sql.SQL("{w} >= {a} AND {w} <= {b}").format(w=table.watermark, a=_at(FIRST), b=_at(now))
    ends = sql.SQL(
        "min({w}) FILTER (WHERE {valid})::timestamptz, max({w}) FILTER (WHERE {valid})::timestamptz"
    )
    # A row's transaction changes with every update, even if the greatest time and the count stay the same.
    counts = sql.SQL("count(*), coalesce(sum(xmin::text::bigint), 0)::text")
    question = sql.SQL("SELECT {ends}, {counts} FROM {table} WHERE {since}").format(
        counts=counts,
        ends=ends.format(w=table.watermark, valid=valid),
        table=table.name,
        since=table.since(value),
    )
    first, last, row_count, transactions = _answer(connection, question)
    found = last.astimezone(timezone.utc).isoformat(timespec="microseconds") if last else ""
    return _State(SourceOffset(max(value, found), row_count, transactions), first, last)


def _rows(
    spark: SparkSession, connection: psycopg.Connection, table: _Table, value: str, state: _State
) -> DataFrame:
    """Every column as PostgreSQL writes it as text.

    The columns are numbered on the way, because Spark's JDBC reader fails for names with quotes in them.
    """
    texts = [
        sql.SQL("{}::text AS {}").format(sql.Identifier(name), sql.Identifier(f"c{i}"))
        for i, name in enumerate(table.columns)
    ]
    query = sql.SQL("(SELECT {texts}, {w} AS {watermark} FROM {table} WHERE {since}) AS changes").format(
        texts=sql.SQL(", ").join(texts),
        w=table.watermark,
        watermark=_WATERMARK,
        table=table.name,
        since=table.since(value),
    )
    frame = read(spark, table.source, connection, query, _parts(table, state))
    return frame.select(*[f"c{i}" for i in range(len(texts))]).toDF(*table.columns)


def _parts(table: _Table, state: _State) -> list[sql.Composable]:
    """Predicates of even ranges; each row satisfies exactly one. Rows without a time are in the first."""
    if state.first is None or state.last is None or table.source.partitions < 2:
        return [sql.SQL("true")]
    step = (state.last - state.first) / table.source.partitions
    cuts = [_at(state.first + step * i) for i in range(1, table.source.partitions)]
    first = sql.SQL("({w} < {cut} OR {w} IS NULL)").format(w=_WATERMARK, cut=cuts[0])
    last = sql.SQL("{w} >= {cut}").format(w=_WATERMARK, cut=cuts[-1])
    between = [sql.SQL("{w} >= {a} AND {w} < {b}").format(w=_WATERMARK, a=a, b=b) for a, b in pairwise(cuts)]
    return [first, *between, last]


@contextmanager
def keys_now(spark: SparkSession, source: FollowTable) -> Iterator[DataFrame]:
    """The keys of all rows, as text, of one snapshot. SourceError where a key column is missing."""
    with session(source) as connection:
        table = _open(connection, source)
        missing = [key for key in source.keys if key not in table.columns]
        if missing:
            fix = f"it has no column {', '.join(missing)}: correct `keys` in the contract"
            raise SourceError(f"{described(source)}: {fix}")
        rows = _rows(spark, connection, table, "", _State(SourceOffset(""), None, None))
        yield rows.select(*map(quoted, source.keys))
