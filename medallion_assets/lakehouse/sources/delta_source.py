"""A Delta table elsewhere, followed by its version: what changed between two versions, net, key by key.

An offset's value is the version, its token the table's id, which a table that is created again does not keep.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import reduce
from operator import and_
from urllib.parse import urlsplit, urlunsplit

from deltalake import DeltaTable
from deltalake.exceptions import TableNotFoundError
from pyspark.sql import Column, DataFrame, SparkSession, Window
from pyspark.sql import functions as F

from medallion_assets.contracts.bronze import FollowDelta
from medallion_assets.contracts.named_value import named_value
from medallion_assets.contracts.watermark import SourceOffset
from medallion_assets.lakehouse.sources.base import Batch, Compared, SourceError
from medallion_assets.lakehouse.spark.expressions import quoted
from medallion_assets.lakehouse.spark.texts import as_text
from medallion_assets.lakehouse.storage.open_table import open_table

CONTRACT = FollowDelta

OP, VERSION = "op", "source_version"
"""What a batch adds to the source's columns: U or D, and the version that the batch brings the table to."""

_CHANGE, _COMMIT = "_change_type", "_commit_version"
_READ_WHOLE = "run the job reset_watermark to read it whole"


def observe(source: FollowDelta, since: SourceOffset | None) -> SourceOffset:
    """The current version. No JVM, no data. SourceError where the table cannot be opened as the contract says."""
    return _offset(_open(source))


@contextmanager
def pull(spark: SparkSession, source: FollowDelta, since: SourceOffset | None) -> Iterator[Batch]:
    """All rows, or what changed since a version: by the change feed where there is one, else by comparing both.

    Adds: `op` and `source_version`. SourceError where the changes since the offset can no longer be told.
    """
    table = _open(source)
    current = table.version()
    if since is None:
        rows = _snapshot(spark, source, current).withColumn(OP, F.lit("U"))
    elif since == _offset(table):
        rows = _snapshot(spark, source, current).limit(0).withColumn(OP, F.lit("U"))
    else:
        _check_history(table, _shown(source), since)
        rows = _changes(spark, source, open_table(_url(source), version=int(since.value)), table)
    yield Batch(rows.withColumn(VERSION, F.lit(str(current))), _offset(table), exact=since is not None)


def _offset(table: DeltaTable) -> SourceOffset:
    return SourceOffset(str(table.version()), state_token=str(table.metadata().id))


def _url(source: FollowDelta) -> str:
    if url := named_value(source.url):
        return url
    raise SourceError(f"{source.url[1:]} is not set: set it to the path or URL of the Delta table to follow")


def _shown(source: FollowDelta) -> str:
    """The URL without what may be a secret: user, password and signature."""
    url = _url(source)
    parts = urlsplit(url)
    if not parts.scheme:
        return url
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def _open(source: FollowDelta) -> DeltaTable:
    url, shown = _url(source), _shown(source)
    try:
        table = open_table(url)
    except TableNotFoundError:
        fix = "create or mount it, or correct `url` in the contract"
        raise SourceError(f"There is no Delta table at {shown}: {fix}") from None
    except Exception as error:  # delta-rs raises several types for what it cannot open
        fix = "check that the path is right and that this user may read it"
        raise SourceError(f"{shown} cannot be opened: {fix} ({str(error).replace(url, shown)})") from None
    names = {field.name for field in table.schema().fields}
    missing = [key for key in source.keys if key not in names]
    if missing:
        raise SourceError(f"{shown} has no column {', '.join(missing)}: correct `keys` in the contract")
    if reserved := sorted(names & {OP, VERSION}):
        raise SourceError(
            f"{shown} has a column {', '.join(reserved)}, which each batch adds: rename it at the source"
        )
    return table


def _check_history(table: DeltaTable, shown: str, since: SourceOffset) -> None:
    """SourceError where the changes cannot be told: the table was created again, emptied, or its log was cleaned."""
    before = int(since.value)
    if before > table.version() or since.state_token not in ("", _offset(table).state_token):
        raise SourceError(
            f"{shown} was followed to version {before} and was created again since: {_READ_WHOLE}"
        )
    if not table.file_uris():
        raise SourceError(
            f"{shown} was emptied after version {before}: restore it, or, if that is meant, land the deletes as files"
        )
    try:
        open_table(table.table_uri, version=before)
    except Exception:  # delta-rs raises several types for a version whose log was cleaned
        raise SourceError(f"Version {before} of {shown} is no longer readable: {_READ_WHOLE}") from None


def _snapshot(spark: SparkSession, source: FollowDelta, version: int) -> DataFrame:
    """The rows of a version, every field as text."""
    return _texts(spark.read.format("delta").option("versionAsOf", version).load(_url(source)))


def _texts(rows: DataFrame, *unchanged: str) -> DataFrame:
    """Every field as text, but for the `unchanged` columns, which come last."""
    fields = [field for field in rows.schema if field.name not in unchanged]
    return rows.select(*[as_text(quoted(f.name), f.dataType).alias(f.name) for f in fields], *unchanged)


def _changes(spark: SparkSession, source: FollowDelta, before: DeltaTable, now: DeltaTable) -> DataFrame:
    """By the change feed where it was on all the while, else by comparing the rows of both versions."""
    if all(t.metadata().configuration.get("delta.enableChangeDataFeed") == "true" for t in (before, now)):
        return _feed(spark, source, before.version() + 1, now.version())
    old, new = (_snapshot(spark, source, table.version()) for table in (before, now))
    return _compared(old, new, source.keys)


def _feed(spark: SparkSession, source: FollowDelta, first: int, last: int) -> DataFrame:
    """The last change of each key, from Delta's change data feed. Adds: `op`.

    An update comes as its old row and its new row. The old one counts as a delete, so that an update of a key deletes
    the old key.
    """
    feed = spark.read.format("delta").option("readChangeFeed", "true")
    changes = feed.option("startingVersion", first).option("endingVersion", last).load(_url(source))
    is_delete = F.col(_CHANGE).isin("delete", "update_preimage")
    newest = Window.partitionBy(*map(quoted, source.keys)).orderBy(F.col(_COMMIT).desc(), is_delete.asc())
    texts = _texts(changes.drop("_commit_timestamp"), _CHANGE, _COMMIT)
    final = texts.withColumn("_rank", F.row_number().over(newest)).where("_rank = 1")
    return final.withColumn(OP, F.when(is_delete, "D").otherwise("U")).drop(_CHANGE, _COMMIT, "_rank")


def against(source: FollowDelta, stored: DataFrame, batch: Batch, since: SourceOffset | None) -> Compared:
    """What a batch of all rows changes for somebody who holds the batches in `stored` already; deleted keys, too."""
    newest = Window.partitionBy(*map(quoted, source.keys)).orderBy(
        F.col(VERSION).cast("long").desc(), (F.col(OP) == "D").asc()
    )
    alive = stored.withColumn("_rank", F.row_number().over(newest)).where(f"_rank = 1 AND {OP} != 'D'")
    new = batch.rows.drop(OP, VERSION)
    old = alive.select(*[quoted(name) for name in new.columns if name in stored.columns])
    return Compared(_compared(old, new, source.keys).withColumn(VERSION, F.lit(batch.offset.value)))


def as_offset(source: FollowDelta, text: str) -> SourceOffset:
    """A version of the table."""
    try:
        return SourceOffset(str(int(text)))
    except ValueError:
        raise SourceError("give a version, such as 12") from None


def label(source: FollowDelta, since: SourceOffset | None) -> str:
    return since.value if since else "start"


def changed_at(source: FollowDelta) -> Column:
    """The time of the pull: a Delta table does not say when a row was changed."""
    return F.current_timestamp()


def _compared(old: DataFrame, new: DataFrame, keys: tuple[str, ...]) -> DataFrame:
    """Rows that are new or differ as upserts, rows whose key is gone as deletes. Adds: `op`."""
    alike = [quoted(n) if n in old.columns else F.lit(None).cast("string").alias(n) for n in new.columns]
    old = old.select(*alike)
    keys_now = new.select(*[quoted(key).alias(f"_now_{i}") for i, key in enumerate(keys)]).distinct()
    same = [quoted(key).eqNullSafe(F.col(f"_now_{i}")) for i, key in enumerate(keys)]
    gone = old.join(keys_now, reduce(and_, same), "left_anti").withColumn(OP, F.lit("D"))
    return new.exceptAll(old).withColumn(OP, F.lit("U")).unionByName(gone)
