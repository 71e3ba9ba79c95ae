"""What became of each change: which one of a key wins, and whether it beats what is stored."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from pyspark.sql import Column as Expression
from pyspark.sql import DataFrame, Row, Window
from pyspark.sql import functions as F

from medallion_assets.contracts.table import History, Table, Upsert
from medallion_assets.lakehouse.horizons import is_expired, may_be_outdated
from medallion_assets.lakehouse.judging import PROVENANCE
from medallion_assets.lakehouse.near import Range, within
from medallion_assets.lakehouse.storage import Lake

STORED = ("_sequence", "_data_quality_score", *PROVENANCE)
_FATES = ("current", "superseded", "deleted")

Fates = Mapping[tuple[str, str], Mapping[str, int]]
"""(ingestion day, file) -> rows that are current, superseded or deleted."""


def policy(table: Table) -> Upsert:
    assert isinstance(table.write, Upsert), f"{table.key} has no keys"
    return table.write


def last_rows(table: Table, stored: DataFrame) -> DataFrame:
    """The row of each key that holds its last change: of versions the open one, or the tombstone."""
    return (
        stored.where("is_current OR _deleted_at IS NOT NULL") if isinstance(table.write, History) else stored
    )


def fates_now(
    lake: Lake,
    table: Table,
    own: DataFrame,
    folded: Callable[[], DataFrame],
    horizon: datetime | None = None,
) -> Fates:
    """What became of valid changes, by what is stored now; a change that is newer than what is stored has no fate.

    A tombstone that was purged is told from bronze: `folded` gives all changes that count, if it must be asked.
    """
    rows = with_current(lake, table, ranked(table, own))
    rows = _with_purged(table, rows, folded, horizon) if horizon else rows
    missing = F.col("_current").isNull() | comes_after_current()
    stays = (F.col("_rank") == 1) & same_as_current("_sequence", *PROVENANCE)
    counts = rows.withColumn("_fate", F.when(~missing, fate(stays))).groupBy(*PROVENANCE).agg(*fate_counts())
    return as_fates(counts.collect())


def _with_purged(
    table: Table, rows: DataFrame, folded: Callable[[], DataFrame], horizon: datetime
) -> DataFrame:
    """`_current` is the purged tombstone where nothing is stored of a key and its last change is an expired delete.

    Folded, not counted in the ledger: that tells of a file's rows as of its own fold, before the delete came. And so
    a live row that somebody lost still leaves its changes without a fate.
    """
    keys = list(policy(table).keys)
    unknown = rows.where(F.col("_current").isNull() & may_be_outdated(rows, horizon)).select(*keys)
    if unknown.isEmpty():
        return rows
    last = ranked(table, folded().join(unknown, keys, "left_semi")).where("_rank = 1")
    tombstone = F.struct(*STORED, F.lit(None).cast("string").alias("partition")).alias("_purged")
    purged = last.where(is_expired(last, horizon)).select(*keys, tombstone)
    joined = rows.join(purged, keys, "left")
    return joined.withColumn("_current", F.coalesce("_current", "_purged")).drop("_purged")


def is_unique(lake: Lake, table: Table) -> bool:
    """Whether no key of the whole table has two rows; of versions, whether no two of a key overlap."""
    if not lake.exists(table.key):
        return True
    rows = lake.read(table.key)
    if isinstance(table.write, History):
        along = Window.partitionBy(*table.write.keys).orderBy("valid_from")
        until = F.lead("valid_from").over(along)
        rows = rows.select(until.alias("_next"), "valid_to")
        return rows.where("_next IS NOT NULL AND (valid_to IS NULL OR valid_to > _next)").isEmpty()
    return rows.groupBy(*policy(table).keys).count().where("count > 1").isEmpty()


def ranked(table: Table, changes: DataFrame) -> DataFrame:
    """Full ties keep the least ingestion day and file, so that the order of runs does not show."""
    order = [F.col("_sequence").desc(), *[F.col(column).asc() for column in PROVENANCE]]
    window = Window.partitionBy(*policy(table).keys).orderBy(*order)
    kept = F.when(~F.col("_is_delete"), F.col("_data_quality_score"))  # a tombstone has none
    return changes.withColumn("_data_quality_score", kept).withColumn("_rank", F.row_number().over(window))


def with_current(lake: Lake, table: Table, changes: DataFrame, near: Sequence[Range] = ()) -> DataFrame:
    """Joins `_current`: what is stored of the key; NULL where nothing is. `near`: ranges that hold all the keys."""
    stored = lake.read(table.key).where(within(table, near)) if lake.exists(table.key) else None
    return join_current(table, changes, stored)


def join_current(table: Table, changes: DataFrame, stored: DataFrame | None) -> DataFrame:
    keys = list(policy(table).keys)
    stored = changes.limit(0) if stored is None else last_rows(table, stored)
    partition = F.col(table.partition_by).cast("string") if table.partition_by else F.lit(None).cast("string")
    current = stored.select(*keys, F.struct(*STORED, partition.alias("partition")).alias("_current"))
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


def fate(wins: Expression) -> Expression:
    return F.when(~wins, "superseded").when(F.col("_is_delete"), "deleted").otherwise("current")


def fate_counts() -> list[Expression]:
    return [F.count_if(F.col("_fate") == name).alias(name) for name in _FATES]


def as_fates(counts: Sequence[Row]) -> Fates:
    return {
        (str(row["_ingestion_date"]), row["_source_file"]): {name: row[name] for name in _FATES}
        for row in counts
        if row["_source_file"] is not None
    }
