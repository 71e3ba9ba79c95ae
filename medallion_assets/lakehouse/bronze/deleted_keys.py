"""Deletes that a watermark cannot see: the keys that bronze has and its database no longer has.

Only the job reconcile_keys asks for them; deletes of a Delta source come with its changes.
"""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from medallion_assets.contracts.bronze import BronzeTable, FollowTable
from medallion_assets.contracts.technical_columns import INGESTION_TIMESTAMP, SOURCE_MODIFIED_AT
from medallion_assets.lakehouse.bronze.batches import (
    as_batch,
    batch_entry,
    bounded,
    read_batches,
    write_batch,
)
from medallion_assets.lakehouse.sources.base import SourceError
from medallion_assets.lakehouse.sources.delta_source import OP
from medallion_assets.lakehouse.sources.postgres_source import keys_now
from medallion_assets.lakehouse.spark.expressions import quoted
from medallion_assets.lakehouse.storage.lake import Lake
from medallion_assets.lakehouse.storage.locks import one_writer


def reconcile_keys(lake: Lake, table: BronzeTable) -> tuple[str, int]:
    """Adds a delete to bronze for each live key that the database no longer has; returns the day and how many.

    A delete has the key's last time of change, and counts as the later of the two. A row that comes back is newer than
    its delete, whatever clock set its time. SourceError for a table that does not follow a database.
    """
    source = table.write
    if not isinstance(source, FollowTable):
        raise SourceError(
            f"{table.key} follows no database table: its deletes come with its changes, so there is nothing to do"
        )
    with one_writer(lake.root, table.key), keys_now(lake.spark, source) as existing_keys:
        batches = read_batches(lake, table)
        today = batches.today
        if not batches.complete:
            return today, 0
        name = batches.next_name("keys")
        deletes = as_batch(table, _deletes(lake, table, source, existing_keys), name, today)
        with bounded(deletes) as (rows, count):
            if count:
                entry = batch_entry(table, name, today, count, table.column_names)
                write_batch(lake, table, rows, entry, batches, [])
        return today, count


def _deletes(lake: Lake, table: BronzeTable, source: FollowTable, existing_keys: DataFrame) -> DataFrame:
    """A delete for each key whose last row in bronze is no delete and that is not among the existing ones.

    Needs: the key columns in `existing_keys`. Adds: `op`, and the watermark with the key's last time of change.
    """
    bronze = lake.read(table.key)
    op = F.col(OP) if OP in bronze.columns else F.lit(None).cast("string")
    changed = F.coalesce(F.max(SOURCE_MODIFIED_AT), F.current_timestamp()).cast("string")
    last = bronze.groupBy(*map(quoted, source.keys)).agg(
        F.max_by(op, INGESTION_TIMESTAMP).alias("_op"), changed.alias(source.watermark)
    )
    live = last.where("_op IS DISTINCT FROM 'D'").drop("_op")
    # A join by names takes them as they are, with dots or backticks.
    return live.join(existing_keys, list(source.keys), "left_anti").withColumn(OP, F.lit("D"))
