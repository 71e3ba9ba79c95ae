"""A fold that is computed and not yet written, and the one commit that writes it."""

from delta.tables import DeltaTable
from pyspark.sql import Column as Expression
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from medallion_assets.contracts.silver import SilverTable
from medallion_assets.contracts.sql_text import quoted_name
from medallion_assets.contracts.technical_columns import PROVENANCE, VERSIONED
from medallion_assets.errors import MedallionError
from medallion_assets.lakehouse.silver.merge.key_ranges import in_ranges
from medallion_assets.lakehouse.silver.merge.stage import NULL_PARTITION, Staged
from medallion_assets.lakehouse.silver.merge.tombstones import change_time
from medallion_assets.lakehouse.silver.standardize import business_columns
from medallion_assets.lakehouse.spark.expressions import quoted
from medallion_assets.lakehouse.storage import transaction_log
from medallion_assets.lakehouse.storage.lake import Lake
from medallion_assets.lakehouse.storage.stored_contract import sequence_with_keys


class ConcurrentChange(MedallionError):
    """The commit wrote other numbers of rows than were staged."""

    retryable = True


def publish(lake: Lake, table: SilverTable, staged: Staged) -> None:
    """One commit, or none where nothing is left to apply; only new keys are appended, the rest is merged."""
    written = staged.rows.where(F.col("_action").isNotNull())
    rows = written.select(*_stored_columns(table, written), "_action")
    if staged.drops == staged.replaced == 0:
        if staged.puts:
            lake.append(rows.drop("_action"), table.key, table.partition_by)
        return
    target = DeltaTable.forPath(lake.spark, lake.path(table.key))
    there = {name.lower() for name in rows.columns}
    missing = [column for column in target.toDF().schema if column.name.lower() not in there]
    rows = rows.select("*", *[F.lit(None).cast(column.dataType).alias(column.name) for column in missing])
    rows = (
        rows.localCheckpoint()
    )  # MERGE plans its source several times over: give it a leaf, not the whole fold
    values: dict[str, str | Expression] = {
        quoted_name(name): F.col(f"change.{quoted_name(name)}") for name in rows.columns if name != "_action"
    }
    (
        target.alias("stored")
        .merge(rows.alias("change"), _match(table, staged))
        .withSchemaEvolution()
        .whenMatchedDelete(F.col("change._action") == "drop")
        .whenMatchedUpdate(set=values)
        .whenNotMatchedInsert(values=values)
        .execute()
    )
    counts = transaction_log.commit_counts(lake.root, table.key)
    merged = counts.get("numTargetRowsInserted", 0) + counts.get("numTargetRowsUpdated", 0)
    if (merged, counts.get("numTargetRowsDeleted", 0)) != (staged.puts, staged.drops):
        raise ConcurrentChange(
            f"{table.key}: staged {staged.puts} rows to put and {staged.drops} to drop, merged {counts}"
        )


def rewrite(lake: Lake, table: SilverTable, staged: Staged) -> None:
    """The table becomes the rows that were put, whatever it held."""
    rows = staged.rows.where("_action = 'put'")
    lake.rewrite(rows.select(*_stored_columns(table, rows)), table.key, table.partition_by)


def _match(table: SilverTable, staged: Staged) -> Expression:
    """Keys, pruned to the partitions that hold a current row to be changed: an exact set, read from the rows."""
    match = in_ranges(table, staged.near, "stored.")
    for key in table.write.row_key:
        match = match & (F.col(f"stored.{quoted_name(key)}") == F.col(f"change.{quoted_name(key)}"))
    if not table.partition_by:
        return match
    partition = F.col(f"stored.{quoted_name(table.partition_by)}").cast("string")
    held = partition.isin(sorted(staged.old_partitions - {NULL_PARTITION}))
    return match & (held | partition.isNull() if NULL_PARTITION in staged.old_partitions else held)


def _stored_columns(table: SilverTable, changes: DataFrame) -> list[Expression]:
    """Silver's columns in their order; of a deleted key only the tombstone is kept."""
    deleted = F.col("_is_delete")
    keys = table.merge_keys
    versioned = VERSIONED if table.write.keeps_versions else ()
    business = [
        quoted(name) if name in keys else F.when(~deleted, quoted(name)).alias(name)
        for name in business_columns(changes)
        if name not in versioned
    ]
    return [
        *business,
        *[F.col(name) for name in versioned],
        sequence_with_keys(table.merge_keys),
        F.when(deleted, change_time(changes)).alias("_deleted_at"),
        *[F.col(name) for name in PROVENANCE],
        F.current_timestamp().alias("_silver_processed_timestamp"),
        F.col("_data_quality_score"),
    ]
