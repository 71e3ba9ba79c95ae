"""A Delta table elsewhere, followed by its version: what changed between two versions, net, key by key."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from deltalake import DeltaTable
from deltalake.exceptions import TableNotFoundError
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession, Window
from pyspark.sql import functions as F

from medallion_assets.contracts.table import FollowDelta
from medallion_assets.lakehouse.formats.layout import quoted
from medallion_assets.lakehouse.formats.parquet_files import as_text
from medallion_assets.lakehouse.sources.marks import Batch, Mark, SourceError

OP, VERSION = "op", "source_version"
"""What a batch adds to the source's columns: U or D, and the version that the batch brings the table to."""

_CHANGE, _COMMIT = "_change_type", "_commit_version"


def observe(source: FollowDelta, since: Mark | None) -> Mark:
    """The version now. No JVM, no data."""
    return Mark(str(_open(source).version()))


@contextmanager
def pull(spark: SparkSession, source: FollowDelta, since: Mark | None) -> Iterator[Batch]:
    """All rows, or what changed since a version: by the change feed where there is one, else by comparing both."""
    table, url = _open(source), _url(source)
    now = table.version()
    if since is None:
        rows = _snapshot(spark, source, now).withColumn(OP, F.lit("U"))
    else:
        before = int(since.value)
        _refuse_what_cannot_be_followed(table, url, before)
        rows = _feed(spark, table, source, before, now) if before < now else None
        if rows is None:
            rows = _compared(_snapshot(spark, source, before), _snapshot(spark, source, now), source.keys)
    yield Batch(rows.withColumn(VERSION, F.lit(str(now))), Mark(str(now)), exact=since is not None)


def _url(source: FollowDelta) -> str:
    if not source.url.startswith("$"):
        return source.url
    try:
        return os.environ[source.url[1:]]
    except KeyError:
        raise SourceError(f"Set {source.url[1:]} to the path or URL of the Delta table to follow") from None


def _open(source: FollowDelta) -> DeltaTable:
    url = _url(source)
    try:
        table = DeltaTable(url)
    except TableNotFoundError:
        raise SourceError(
            f"There is no Delta table at {url}: create or mount it, or correct its URL"
        ) from None
    names = {field.name for field in table.schema().fields}
    missing = [key for key in source.keys if key not in names]
    if missing:
        raise SourceError(f"{url} has no column {', '.join(missing)}: correct `keys` in the contract")
    if taken := names & {OP, VERSION}:
        raise SourceError(
            f"{url} has a column {', '.join(taken)}, which a batch adds: rename it at the source"
        )
    return table


def _refuse_what_cannot_be_followed(table: DeltaTable, url: str, before: int) -> None:
    """Silence would be a guess: a table made anew, emptied, or without the version that was read last."""
    now, again = table.version(), "run the job reset_watermark to read it whole"
    if before > now:
        raise SourceError(
            f"{url} is at version {now} and was followed to {before}: it was made anew; {again}"
        )
    if before < now and not table.file_uris():
        raise SourceError(
            f"{url} was emptied after version {before}: restore it, or if it is meant, land the deletes as files"
        )
    try:
        DeltaTable(url, version=before)
    except Exception as error:  # delta-rs raises several types for a version whose log was cleaned
        raise SourceError(f"Version {before} of {url} is no longer readable: {again}") from error


def _snapshot(spark: SparkSession, source: FollowDelta, version: int) -> DataFrame:
    """The rows of a version, every field as text."""
    return _texts(spark.read.format("delta").option("versionAsOf", version).load(_url(source)))


def _texts(rows: DataFrame, *kept: str) -> DataFrame:
    fields = [field for field in rows.schema if field.name not in kept]
    return rows.select(*[as_text(quoted(f.name), f.dataType).alias(f.name) for f in fields], *kept)


def _feed(
    spark: SparkSession, table: DeltaTable, source: FollowDelta, before: int, now: int
) -> DataFrame | None:
    """The last change of each key after `before`; None where the feed does not reach back so far."""
    if table.metadata().configuration.get("delta.enableChangeDataFeed") != "true":
        return None
    feed = spark.read.format("delta").option("readChangeFeed", "true")
    try:
        changes = feed.option("startingVersion", before + 1).option("endingVersion", now).load(_url(source))
        changes = changes.where(F.col(_CHANGE) != "update_preimage").drop("_commit_timestamp")
    except PySparkException:
        return None
    is_delete = F.col(_CHANGE) == "delete"
    newest = Window.partitionBy(*source.keys).orderBy(F.col(_COMMIT).desc(), is_delete.asc())
    last = _texts(changes, _CHANGE, _COMMIT).withColumn("_rank", F.row_number().over(newest))
    op = F.when(is_delete, "D").otherwise("U")
    return last.where("_rank = 1").withColumn(OP, op).drop(_CHANGE, _COMMIT, "_rank")


def against(held: DataFrame, batch: Batch, keys: tuple[str, ...]) -> DataFrame:
    """What a batch of all rows changes for somebody who holds these batches already: deleted keys, too."""
    newest = Window.partitionBy(*keys).orderBy(F.col(VERSION).cast("long").desc(), (F.col(OP) == "D").asc())
    alive = held.withColumn("_rank", F.row_number().over(newest)).where(f"_rank = 1 AND {OP} != 'D'")
    new = batch.rows.drop(OP, VERSION)
    old = alive.select(*[quoted(name) for name in new.columns if name in held.columns])
    return _compared(old, new, keys).withColumn(VERSION, F.lit(batch.mark.value))


def _compared(old: DataFrame, new: DataFrame, keys: tuple[str, ...]) -> DataFrame:
    """Rows that are new or differ as upserts, rows whose key is gone as deletes."""
    there = [quoted(n) if n in old.columns else F.lit(None).cast("string").alias(n) for n in new.columns]
    old = old.select(*there)
    gone = old.join(new.select(*keys), list(keys), "left_anti").withColumn(OP, F.lit("D"))
    return new.exceptAll(old).withColumn(OP, F.lit("U")).unionByName(gone)
