"""What became of each change: which one of a key wins, and whether it beats what is stored."""

from collections.abc import Sequence

from pyspark.sql import Column as Expression
from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from medallion_assets.contracts.silver import SilverTable
from medallion_assets.contracts.technical_columns import PROVENANCE
from medallion_assets.lakehouse.silver.merge.key_ranges import KeyRange, in_ranges
from medallion_assets.lakehouse.spark.expressions import quoted
from medallion_assets.lakehouse.storage.lake import Lake

STORED = ("_sequence", "_data_quality_score", *PROVENANCE)


def last_rows(table: SilverTable, stored: DataFrame) -> DataFrame:
    """The row of each key that holds its last change: of versions the open one, or the tombstone."""
    return stored.where("is_current OR _deleted_at IS NOT NULL") if table.write.keeps_versions else stored


def ranked(table: SilverTable, changes: DataFrame) -> DataFrame:
    """Full ties keep the least ingestion day and file, so that the order of runs does not show."""
    order = [F.col("_sequence").desc(), *[F.col(column).asc() for column in PROVENANCE]]
    window = Window.partitionBy(*map(quoted, table.merge_keys)).orderBy(*order)
    kept = F.when(~F.col("_is_delete"), F.col("_data_quality_score"))  # a tombstone has none
    return changes.withColumn("_data_quality_score", kept).withColumn("_rank", F.row_number().over(window))


def with_current(
    lake: Lake, table: SilverTable, changes: DataFrame, near: Sequence[KeyRange] = ()
) -> DataFrame:
    """Joins `_current`: what is stored of the key; NULL where nothing is. `near`: ranges that hold all the keys."""
    stored = lake.read(table.key).where(in_ranges(table, near)) if lake.exists(table.key) else None
    return join_current(table, changes, stored)


def join_current(table: SilverTable, changes: DataFrame, stored: DataFrame | None) -> DataFrame:
    keys = list(table.merge_keys)
    stored = changes.limit(0) if stored is None else last_rows(table, stored)
    partition = (
        quoted(table.partition_by).cast("string") if table.partition_by else F.lit(None).cast("string")
    )
    current = stored.select(
        *map(quoted, keys), F.struct(*STORED, partition.alias("partition")).alias("_current")
    )
    return changes.join(current, keys, "left")


def comes_after_current() -> Expression:
    """Strictly later, or the same change from an earlier ingestion day or file."""
    sequence = F.col("_current._sequence")
    earlier_source = F.struct(*PROVENANCE) < F.struct(*[F.col(f"_current.{column}") for column in PROVENANCE])
    return (F.col("_sequence") > sequence) | ((F.col("_sequence") == sequence) & earlier_source)


def same_as_current(*columns: str) -> Expression:
    return F.struct(*columns).eqNullSafe(
        F.struct(*[F.col(f"_current.{column}").alias(column) for column in columns])
    )
