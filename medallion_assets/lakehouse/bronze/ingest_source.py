"""A step of bronze for a followed source: what is new there becomes a batch, which is to silver what a file is.

A batch is of the day that pulls it and bears the name of its lower bound, the watermark. Days past pull nothing. The
order of the commits is intent, bronze, ledger, watermark: a batch that was interrupted is replaced by the next run.
"""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timezone

from pyspark.sql import Column as Expression
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from medallion_assets.contracts.bronze import BronzeTable, FollowDelta, FollowTable
from medallion_assets.contracts.watermark import SourceOffset
from medallion_assets.lakehouse.bronze.batches import (
    Ledger,
    batch_entry,
    last_number,
    read_ledger,
    stamped,
    write_batch,
)
from medallion_assets.lakehouse.control import watermarks
from medallion_assets.lakehouse.control.file_ledger import PENDING, LandedEntry
from medallion_assets.lakehouse.landing.column_names import clean_names
from medallion_assets.lakehouse.sources import delta_source, pull
from medallion_assets.lakehouse.sources.base import Batch, SourceError
from medallion_assets.lakehouse.spark.errors import SPARK_ERRORS
from medallion_assets.lakehouse.spark.expressions import quoted
from medallion_assets.lakehouse.storage.lake import Lake
from medallion_assets.lakehouse.storage.locks import one_writer


def follow(lake: Lake, table: BronzeTable, days: Collection[str]) -> None:
    """Takes what is new at the source if today is among the days. SourceError, noted as FAILED, if it cannot."""
    today = f"{datetime.now(timezone.utc):%Y-%m-%d}"
    with one_writer(lake.root, table.key):
        taken = read_ledger(lake, table)
        if today not in days:
            return
        since = watermarks.last_offset(lake.root, table.key)
        try:
            offset, rows = _take(lake, table, taken, since, today)
        except Exception as error:
            watermarks.record(lake.root, table.key, watermarks.FAILED, since, 0, lake.run_id)
            if isinstance(error, SPARK_ERRORS):
                mend = "if what it changed from is gone, run the job reset_watermark"
                raise SourceError(
                    f"{table.key}: what came after {since} cannot be read; {mend}: {error}"
                ) from error
            raise
        status = watermarks.NO_DATA if offset == since and not rows else watermarks.SUCCESS
        watermarks.record(lake.root, table.key, status, offset, rows, lake.run_id)


def _take(
    lake: Lake, table: BronzeTable, taken: Ledger, since: SourceOffset | None, today: str
) -> tuple[SourceOffset, int]:
    """Writes the batch; returns how far the source is followed now, and how many rows came."""
    assert isinstance(table.write, FollowDelta | FollowTable)
    batches = [entry for files in taken.values() for entry in files.values()]
    interrupted = [entry for entry in batches if entry.status == PENDING]
    done = [entry for entry in batches if entry.status != PENDING]
    # A Delta source that was read further than its watermark says is compared with what bronze holds.
    known = None if isinstance(table.write, FollowDelta) and _is_behind(since, done) else since
    with pull(lake.spark, table.write, known) as pulled:
        batch = replace(pulled, rows=pulled.rows.toDF(*clean_names(pulled.rows.columns)))
        _check_source_columns(table, batch)
        new = batch.rows if batch.exact else _not_held(lake, table, batch, since, interrupted)
        path = f"batch-{last_number(done) + 1}/from={since.value if since else 'start'}"
        rows = stamped(table, new, path, today).persist()
        try:
            count = rows.count()
            if count or interrupted:
                entry = batch_entry(table, path, today, count, batch.rows.columns)
                write_batch(lake, table, rows, entry, taken, interrupted)
        finally:
            rows.unpersist()
        return batch.offset, count


def _is_behind(since: SourceOffset | None, batches: Collection[LandedEntry]) -> bool:
    """A batch was taken from this version on, or from a later one: its run ended before it noted how far it came."""
    bounds = [entry.path.rpartition("=")[2] for entry in batches]
    return since is not None and any(bound.isdigit() and int(bound) >= int(since.value) for bound in bounds)


def _check_source_columns(table: BronzeTable, batch: Batch) -> None:
    there = {name.lower() for name in batch.rows.columns}
    missing = [c.name for c in table.columns if not c.optional and c.name.lower() not in there]
    if missing:
        raise SourceError(
            f"{table.key}: the source has no column {', '.join(missing)}; add it there, or mark it optional"
        )


def _not_held(
    lake: Lake, table: BronzeTable, batch: Batch, since: SourceOffset | None, interrupted: list[LandedEntry]
) -> DataFrame:
    """The rows that bronze does not hold yet, all their fields compared."""
    if not lake.exists(table.key):
        return batch.rows
    held = lake.read(table.key).where(~F.col("_source_file").isin([entry.path for entry in interrupted]))
    if isinstance(table.write, FollowDelta):
        return delta_source.against(held, batch, table.write.keys)
    assert isinstance(table.write, FollowTable)
    if since and since.value:
        overlap = F.lit(since.value).cast("timestamp") - F.lit(table.write.overlap)
        held = held.where((F.col("_source_modified_at") >= overlap) | F.col("_source_modified_at").isNull())
    hashes = held.select(_hash(held).alias("_held_hash"))
    return batch.rows.join(hashes, _hash(batch.rows) == F.col("_held_hash"), "left_anti")


def _hash(rows: DataFrame) -> Expression:
    """NULLs are left out by name, so that a column which is new and empty changes nothing."""
    names = sorted(name for name in rows.columns if not name.startswith("_"))
    return F.sha2(F.to_json(F.struct(*[quoted(name) for name in names])), 256)
