"""Deletes that a watermark cannot see: the keys that bronze holds and its database has no more."""

from datetime import datetime, timezone

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from medallion_assets.contracts.bronze import BronzeTable, FollowTable
from medallion_assets.lakehouse.bronze.batches import (
    Ledger,
    batch_entry,
    last_number,
    read_ledger,
    stamped,
    write_batch,
)
from medallion_assets.lakehouse.sources.base import SourceError
from medallion_assets.lakehouse.sources.delta_source import OP
from medallion_assets.lakehouse.sources.postgres_source import keys_now
from medallion_assets.lakehouse.spark.expressions import quoted
from medallion_assets.lakehouse.storage.lake import Lake
from medallion_assets.lakehouse.storage.locks import one_writer


def reconcile_keys(lake: Lake, table: BronzeTable) -> tuple[str, int]:
    """Lands a delete for each key that bronze holds alive and the database has no more; returns the day and how many.

    A watermark cannot see deletes. A delete bears the key's last time of change, after which it comes by itself: a row
    that comes back later is newer, whatever clock stamped it.
    """
    source = table.write
    if not isinstance(source, FollowTable):
        raise SourceError(
            f"{table.key}: a Delta source's deletes come with its changes; there is nothing to do"
        )
    today = f"{datetime.now(timezone.utc):%Y-%m-%d}"
    with one_writer(lake.root, table.key), keys_now(lake.spark, source) as there:
        taken = read_ledger(lake, table)
        if not taken:
            return today, 0
        rows = stamped(table, _deletes(lake, table, there), _next_reconciliation(taken), today).persist()
        try:
            count = rows.count()
            if count:
                entry = batch_entry(table, _next_reconciliation(taken), today, count, table.column_names)
                write_batch(lake, table, rows, entry, taken, [])
        finally:
            rows.unpersist()
        return today, count


def _next_reconciliation(taken: Ledger) -> str:
    done = [entry for files in taken.values() for entry in files.values()]
    return f"batch-{last_number(done) + 1}/keys"


def _deletes(lake: Lake, table: BronzeTable, there: DataFrame) -> DataFrame:
    """One for each key whose last row in bronze is none and that is not `there`."""
    source = table.write
    assert isinstance(source, FollowTable)
    bronze = lake.read(table.key)
    op = F.col(OP) if OP in bronze.columns else F.lit(None).cast("string")
    last = F.coalesce(F.max("_source_modified_at"), F.current_timestamp()).cast("string")
    held = bronze.groupBy(*map(quoted, source.keys)).agg(
        F.max_by(op, "_ingestion_timestamp").alias("_op"), last.alias(source.watermark)
    )
    gone = held.where("_op IS DISTINCT FROM 'D'").drop("_op").join(there, list(source.keys), "left_anti")
    return gone.withColumn(OP, F.lit("D"))
