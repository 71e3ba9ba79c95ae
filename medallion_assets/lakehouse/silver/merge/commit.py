"""The one commit that writes a merge: an append, a MERGE, or the whole table."""

from collections.abc import Collection

from delta.tables import DeltaTable
from pyspark.sql import Column as Expression
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from medallion_assets.contracts.silver import SilverTable
from medallion_assets.contracts.sql_text import quoted_name
from medallion_assets.contracts.technical_columns import PROVENANCE, VERSIONED
from medallion_assets.errors import MedallionError
from medallion_assets.lakehouse.silver.merge.key_ranges import in_ranges
from medallion_assets.lakehouse.silver.merge.resolution import partition_of
from medallion_assets.lakehouse.silver.merge.stage import NULL_PARTITION, Staged
from medallion_assets.lakehouse.silver.merge.tombstones import change_time
from medallion_assets.lakehouse.silver.run import MergeMode, SilverRun
from medallion_assets.lakehouse.silver.standardize import business_columns
from medallion_assets.lakehouse.spark.checkpoint import checkpointed
from medallion_assets.lakehouse.spark.expressions import quoted
from medallion_assets.lakehouse.storage import transaction_log
from medallion_assets.lakehouse.storage.lake import Lake
from medallion_assets.lakehouse.storage.predicates import days_predicate
from medallion_assets.lakehouse.storage.stored_contract import sequence_with_keys


class ConcurrentChange(MedallionError):
    """The commit wrote other numbers of rows than were staged."""

    retryable = True


def publish(run: SilverRun, staged: Staged, without: Collection[str] = ()) -> None:
    """One commit, or none where nothing is left to apply; only new keys are appended, the rest is merged.

    without: landed columns that are left out

    A rebuild writes the table from the rows that were put, whatever it held. ConcurrentChange if somebody wrote beside
    us.
    """
    lake, table = run.lake, run.table
    written = staged.rows.where(F.col("_action").isNotNull())
    rows = written.select(*_stored_columns(table, written.drop(*without)), "_action")
    if run.mode is MergeMode.REBUILD:
        lake.rewrite(rows.drop("_action"), table.key, table.partition_by)
    elif staged.drops or staged.replaced:
        _merge(lake, table, staged, rows)
    elif staged.puts:
        lake.append(rows.drop("_action"), table.key, table.partition_by)


def publish_new_keys(run: SilverRun, valid: DataFrame, without: Collection[str] = ()) -> None:
    """The valid rows of a table with keys are added to it as they are; in a rebuild, they become the table.

    Needs: what `validate` adds.
    """
    rows = valid.select(*_stored_columns(run.table, valid.drop(*without)))
    if run.mode is MergeMode.REBUILD:
        run.lake.rewrite(rows, run.table.key, run.table.partition_by)
    else:
        run.lake.append(rows, run.table.key, run.table.partition_by)


def publish_keyless(run: SilverRun, valid: DataFrame, without: Collection[str] = ()) -> None:
    """The valid rows of a table without a key replace the run's days; in a rebuild, the table.

    Needs: what `validate` adds.
    """
    rows = valid.select(
        *[quoted(name) for name in business_columns(valid.drop(*without))],
        *PROVENANCE,
        F.current_timestamp().alias("_silver_processed_timestamp"),
        "_data_quality_score",
    )
    if run.mode is MergeMode.REBUILD:
        run.lake.rewrite(rows, run.table.key, "_ingestion_date")
    else:
        predicate = days_predicate("_ingestion_date", run.plans)
        run.lake.replace(rows, run.table.key, predicate, "_ingestion_date", run.plans)


def _merge(lake: Lake, table: SilverTable, staged: Staged, rows: DataFrame) -> None:
    target = DeltaTable.forPath(lake.spark, lake.path(table.key))
    there = {name.lower() for name in rows.columns}
    missing = [column for column in target.toDF().schema if column.name.lower() not in there]
    rows = rows.select("*", *[F.lit(None).cast(column.dataType).alias(column.name) for column in missing])
    # MERGE plans its source several times over: give it a leaf, not all that leads to it. And what is kept in memory of
    # the table is planned again after a commit: let it go before.
    rows = checkpointed(rows)
    staged.rows.unpersist()
    values: dict[str, str | Expression] = {
        quoted_name(name): quoted(name, "change") for name in rows.columns if name != "_action"
    }
    with lake.marked(table.key):
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


def _match(table: SilverTable, staged: Staged) -> Expression:
    """Keys, pruned to the partitions that hold a current row to be changed: an exact set, read from the rows."""
    match = in_ranges(table, staged.ranges, "stored")
    for key in table.write.row_key:
        match = match & (quoted(key, "stored") == quoted(key, "change"))
    if not table.partition_by:
        return match
    partition = partition_of(table, "stored")
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
