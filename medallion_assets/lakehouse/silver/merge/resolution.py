"""Which change of a key wins, and whether it beats what is stored of the key."""

from collections.abc import Sequence

from pyspark.sql import Column as Expression
from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from medallion_assets.contracts.silver import SilverTable
from medallion_assets.contracts.technical_columns import CONTENT_HASH, PROVENANCE, SEQUENCE
from medallion_assets.lakehouse.silver.merge.key_ranges import KeyRange, in_ranges
from medallion_assets.lakehouse.silver.merge.order import (
    is_undecided,
    last_first,
    ties_with,
    with_followed,
)
from medallion_assets.lakehouse.silver.stored_rows import stored_rows
from medallion_assets.lakehouse.spark.expressions import quoted
from medallion_assets.lakehouse.storage.lake import Lake

STORED = ("_sequence", "_data_quality_score", *PROVENANCE)


def keys_of(table: SilverTable) -> list[Expression]:
    """The key columns, whatever their names. Joins take the bare names, as a list."""
    return [quoted(key) for key in table.merge_keys]


def partition_of(table: SilverTable, of: str = "") -> Expression:
    """The partition value as text; NULL for a table without partitions."""
    return quoted(table.partition_by, of).cast("string") if table.partition_by else F.lit(None).cast("string")


def last_rows(table: SilverTable, stored: DataFrame) -> DataFrame:
    """The row of each key that holds its last change: of versions the open one, or the tombstone."""
    return stored.where("is_current OR _deleted_at IS NOT NULL") if table.write.keeps_versions else stored


def ranked(table: SilverTable, changes: DataFrame) -> DataFrame:
    """Needs: keys, `_sequence`, `_is_delete`, `_data_quality_score`, `_ingestion_date`, `_source_file`.

    Adds: `_rank`, 1 for the last change of a key (full ties keep the least ingestion day and file, so that the order
    of runs does not show), `_is_undecided`, and what `with_followed` adds.
    """
    changes = with_followed(table, changes)
    window = Window.partitionBy(*keys_of(table)).orderBy(*last_first(changes))
    kept = F.when(~F.col("_is_delete"), F.col("_data_quality_score"))  # a tombstone has none
    added = {
        "_data_quality_score": kept,
        "_rank": F.row_number().over(window),
        "_is_undecided": is_undecided(changes, lambda value: F.lag(value).over(window)),
    }
    return changes.withColumns(added)


def with_current(
    lake: Lake, table: SilverTable, changes: DataFrame, ranges: Sequence[KeyRange] = ()
) -> DataFrame:
    """`join_current` with the table as it is stored.

    ranges: hold all the keys of the changes, if there are any
    """
    stored = stored_rows(lake, table).where(in_ranges(table, ranges)) if lake.exists(table.key) else None
    return join_current(table, changes, stored)


def join_current(table: SilverTable, changes: DataFrame, stored: DataFrame | None) -> DataFrame:
    """Needs: keys. Adds: `_current`, what is stored of the key's last change; NULL where nothing is.

    A key with two current rows doubles its changes: `StagingRule.is_duplicate` finds that.
    """
    stored = changes.limit(0) if stored is None else last_rows(table, stored)
    current = F.struct(*STORED, partition_of(table).alias("partition")).alias("_current")
    joined = changes.join(stored.select(*keys_of(table), current), list(table.merge_keys), "left")
    # Where nobody knows the content of what is stored, it is that of the change.
    content = F.coalesce(*[f"{of}.{CONTENT_HASH}" for of in ("_current._sequence", SEQUENCE)])
    known = F.col("_current").withField(f"{SEQUENCE}.{CONTENT_HASH}", content)
    return joined.withColumn("_current", known)


def comes_after_current(changes: DataFrame) -> Expression:
    """Strictly later, or the same change from an earlier ingestion day or file. Needs: `_current`."""
    sequence, current = F.col(SEQUENCE), F.col("_current._sequence")
    earlier_source = F.struct(*PROVENANCE) < F.struct(*[F.col(f"_current.{column}") for column in PROVENANCE])
    return (sequence > current) | ((sequence == current) & earlier_source)


def is_tied(changes: DataFrame) -> Expression:
    """Whether content alone decides between the change and another one, stored ones included.

    Needs: `_rank`, `_is_undecided`, `_current`.
    """
    return F.col("_is_undecided") | ((F.col("_rank") == 1) & ties_with(changes, "_current._sequence"))


def same_as_current(*columns: str) -> Expression:
    """Whether these technical columns are as stored. Needs: `_current`."""
    return F.struct(*columns).eqNullSafe(
        F.struct(*[F.col(f"_current.{column}").alias(column) for column in columns])
    )
