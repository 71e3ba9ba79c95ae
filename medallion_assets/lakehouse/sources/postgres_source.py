"""A PostgreSQL table, followed by the column that says when a row was last changed.

An offset's value is that column's greatest, in UTC to the microsecond, so that offsets order as texts; a date is
midnight.
Rows stamped ahead of our clock, or infinity, are pulled but move no offset. Those without a stamp always come.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from itertools import pairwise
from typing import Any

import psycopg
from psycopg import sql
from pyspark.sql import DataFrame, SparkSession

from medallion_assets.contracts.bronze import FollowTable
from medallion_assets.contracts.watermark import SourceOffset
from medallion_assets.lakehouse.sources.base import Batch, SourceError
from medallion_assets.lakehouse.sources.postgres_connection import named, read, session

OBSERVE_SECONDS = 20
WATERMARKS = ("timestamptz", "timestamp", "date")
FIRST = datetime(1, 1, 2, tzinfo=timezone.utc)
"""Stamps before it, -infinity among them, are none; Python knows no earlier day."""

_WATERMARK = sql.Identifier("watermark")


def observe(source: FollowTable, since: SourceOffset | None) -> SourceOffset:
    """The offset now, by an index on the watermark; `since` itself where the rows within the overlap are the same.

    No JVM, no data. Of a table that was never read it says only that it can be.
    """
    with session(source, OBSERVE_SECONDS) as connection:
        table = _open(connection, source)
        if since is None:
            return SourceOffset("")
        now = _look(connection, table, since.value).offset
        return since if (now.row_count, now.state_token) == (since.row_count, since.state_token) else now


@contextmanager
def pull(spark: SparkSession, source: FollowTable, since: SourceOffset | None) -> Iterator[Batch]:
    """The rows since the offset less the overlap, or all. Rows and offset are of one snapshot, held by the context."""
    with session(source) as connection:
        table, value = _open(connection, source), since.value if since else ""
        if value and _answer(connection, sql.SQL("SELECT NOT EXISTS (SELECT FROM {})").format(table.name))[0]:
            raise SourceError(
                f"{named(source)}: it is empty and was followed to {value}: if it was truncated, restore it; "
                "if it is to begin anew, run the job reset_watermark"
            )
        seen = _look(connection, table, value)
        reached = _look(connection, table, seen.offset.value).offset
        yield Batch(_rows(spark, connection, table, value, seen), reached, exact=False)


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
        """The predicate of the rows from an offset's value, less the overlap, on."""
        if not value:
            return sql.SQL("true")
        low = _at(datetime.fromisoformat(value) - self.source.overlap)
        return sql.SQL("({w} >= {low} OR {w} IS NULL)").format(w=self.watermark, low=low)


@dataclass(frozen=True)
class _Seen:
    """The offset, and the earliest and latest stamp that may move one."""

    offset: SourceOffset
    low: datetime | None
    high: datetime | None


def _at(moment: datetime) -> sql.Composed:
    """Dates and stamps without a zone compare with it as they are, in UTC, by their index, too."""
    return sql.SQL("{}::timestamptz").format(moment.isoformat())


def _answer(connection: psycopg.Connection, question: sql.Composed) -> tuple[Any, ...]:
    row = connection.execute(question).fetchone()
    assert row is not None
    return row


def _open(connection: psycopg.Connection, source: FollowTable) -> _Table:
    """The table's columns now. SourceError without a watermark that is a time."""
    head = connection.execute(sql.SQL("SELECT * FROM {} LIMIT 0").format(_Table(source).name)).description
    kinds = {column.name: column.type_display for column in head or ()}
    kind = kinds.get(source.watermark)
    if kind is None:
        mend = f"it has no column {source.watermark}: correct `watermark` in the contract"
        raise SourceError(f"{named(source)}: {mend}")
    if kind.split("(")[0] not in WATERMARKS:
        mend = f"the watermark {source.watermark} is {kind}; follow a column of type {', '.join(WATERMARKS)}"
        raise SourceError(f"{named(source)}: {mend}")
    return _Table(source, tuple(kinds))


def _look(connection: psycopg.Connection, table: _Table, value: str) -> _Seen:
    """One question, answered from an index on the watermark once there is a value."""
    last = datetime.now(timezone.utc)  # an offset ahead of now would hide what is stamped until then
    sane = sql.SQL("{w} >= {a} AND {w} <= {b}").format(w=table.watermark, a=_at(FIRST), b=_at(last))
    ends = sql.SQL("min({w}) FILTER (WHERE {sane})::timestamptz, max({w}) FILTER (WHERE {sane})::timestamptz")
    # A row's transaction changes with every update, also one that leaves the greatest stamp and the count as they were.
    counts = sql.SQL("count(*), coalesce(sum(xmin::text::bigint), 0)::text")
    question = sql.SQL("SELECT {ends}, {counts} FROM {table} WHERE {since}").format(
        counts=counts,
        ends=ends.format(w=table.watermark, sane=sane),
        table=table.name,
        since=table.since(value),
    )
    low, high, held, stamp = _answer(connection, question)
    found = high.astimezone(timezone.utc).isoformat(timespec="microseconds") if high else ""
    return _Seen(SourceOffset(max(value, found), held, stamp), low, high)


def _rows(
    spark: SparkSession, connection: psycopg.Connection, table: _Table, value: str, seen: _Seen
) -> DataFrame:
    """Every column as PostgreSQL writes it. Numbered on the way: Spark trips over names with quotes in them."""
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
    frame = read(spark, table.source, connection, query, _parts(table, seen))
    return frame.select(*[f"c{i}" for i in range(len(texts))]).toDF(*table.columns)


def _parts(table: _Table, seen: _Seen) -> list[sql.Composable]:
    """Predicates that each row satisfies exactly one of: even ranges; the first takes the rows without a stamp."""
    if seen.low is None or seen.high is None or table.source.partitions < 2:
        return [sql.SQL("true")]
    step = (seen.high - seen.low) / table.source.partitions
    cuts = [_at(seen.low + step * i) for i in range(1, table.source.partitions)]
    first = sql.SQL("({w} < {cut} OR {w} IS NULL)").format(w=_WATERMARK, cut=cuts[0])
    last = sql.SQL("{w} >= {cut}").format(w=_WATERMARK, cut=cuts[-1])
    between = [sql.SQL("{w} >= {a} AND {w} < {b}").format(w=_WATERMARK, a=a, b=b) for a, b in pairwise(cuts)]
    return [first, *between, last]


@contextmanager
def keys_now(spark: SparkSession, source: FollowTable) -> Iterator[DataFrame]:
    """The keys of all rows, as text, of one snapshot."""
    with session(source) as connection:
        table = _open(connection, source)
        missing = [key for key in source.keys if key not in table.columns]
        if missing:
            raise SourceError(f"{named(source)}: it has no column {', '.join(missing)}: correct `keys`")
        yield _rows(spark, connection, table, "", _Seen(SourceOffset(""), None, None)).select(*source.keys)
