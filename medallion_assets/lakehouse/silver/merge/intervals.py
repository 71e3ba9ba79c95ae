"""The intervals that the changes of a key make (SCD2). Pure: changes in, changes with intervals out.

Five changes of one key, `segment` tracked, in order of `_sequence`:

    time  change    shows  begins  ends   valid_from  valid_to  is_current
    1     A         yes    yes     no     NULL
    2     A         yes    no      yes    1           3         no          equal neighbours are one version
    3     B         no                    NULL                              of one time only the last shows
    3     C         yes    yes     yes    3           5         no
    5     (delete)  yes    yes     yes    5           NULL      no          a tombstone: no version follows
"""

from datetime import datetime

from pyspark.sql import Column as Expression
from pyspark.sql import DataFrame, Window, WindowSpec
from pyspark.sql import functions as F

from medallion_assets.contracts.merge_policies import Scd2
from medallion_assets.contracts.silver import SilverTable
from medallion_assets.contracts.technical_columns import PROVENANCE
from medallion_assets.lakehouse.silver.merge.order import is_undecided, last_last, with_followed
from medallion_assets.lakehouse.silver.merge.resolution import keys_of
from medallion_assets.lakehouse.silver.merge.tombstones import may_be_outdated
from medallion_assets.lakehouse.silver.standardize import business_columns
from medallion_assets.lakehouse.spark.expressions import quoted


def with_intervals(table: SilverTable, changes: DataFrame, horizon: datetime | None) -> DataFrame:
    """One row a change.

    Needs: business columns, `_sequence`, `_is_delete`, `_data_quality_score`, `_ingestion_date`, `_source_file`,
    `_is_new`, `_is_stored` (the key's last stored version or tombstone), `_since` (when a version that the change is
    the first of begins).
    Adds: `valid_from`, NULL but for the last change of each version and for a tombstone, `valid_to`, `is_current`,
    `_is_last` (the last change of its key), `_is_late` (a new change that these rows alone cannot place),
    `_is_undecided`.
    horizon: tombstones of an earlier time may be missing among the changes; None if none may
    """
    marked = _mark_late(table, _order(table, changes), horizon)
    return _intervals(table, _collapse_equal_neighbours(table, marked))


def change_start(rows: DataFrame) -> Expression:
    """When a change takes effect: the first column of its sequence. Needs: `_sequence`."""
    return quoted(rows.schema["_sequence"].dataType.fieldNames()[0], "_sequence")  # type: ignore[attr-defined]


def tracked_values(table: SilverTable) -> Expression:
    """A struct of the columns of which another value begins a version."""
    assert isinstance(table.write, Scd2), f"{table.key} keeps no versions"
    return F.struct(*map(quoted, table.write.tracked))


def _order(table: SilverTable, changes: DataFrame) -> DataFrame:
    """Needs: keys, `_sequence`, `_ingestion_date`, `_source_file`, `_source_row` where there is one.

    Adds: `_time`, `_next` (the time of the key's next change), `_is_last`, `_is_undecided`, `_is_followed`.
    """
    timed = with_followed(table, changes.withColumn("_time", change_start(changes)))
    along = _in_order(table, timed)
    following = {
        "_next": F.lead("_time").over(along),
        "_is_undecided": is_undecided(timed, lambda value: F.lead(value).over(along)),
    }
    return timed.withColumns(following).withColumn("_is_last", F.col("_next").isNull())


def _mark_late(table: SilverTable, changes: DataFrame, horizon: datetime | None) -> DataFrame:
    """Needs: keys, `_time`, `_sequence`, `_is_delete`, `_is_new`, `_is_stored`, `_ingestion_date`, `_source_file`.

    Adds: `_is_late`: not later than the stored version that is among the changes, unless it is the same change sent
    again; or, where nothing is stored of the key, than a tombstone that may have been purged before the horizon.
    """
    of_key = Window.partitionBy(*keys_of(table))
    source = F.struct(*PROVENANCE)
    stored = F.max(F.when(F.col("_is_stored"), F.struct("_sequence", "_time", source.alias("source"))))
    changes = changes.withColumn("_stored", stored.over(of_key))
    resent = (F.col("_sequence") == F.col("_stored._sequence")) & (source >= F.col("_stored.source"))
    late = (F.col("_time") <= F.col("_stored._time")) & ~resent
    if horizon:  # also a delete that comes first: a tombstone begins with the first of several deletes
        is_first = F.col("_time") == F.min("_time").over(of_key)
        outdated = may_be_outdated(changes, horizon) | (F.col("_is_delete") & is_first)
        late = F.when(F.col("_stored").isNull(), outdated).otherwise(late)
    late = F.col("_is_new") & ~F.col("_is_followed") & F.coalesce(late, F.lit(False))
    return changes.withColumn("_is_late", late).drop("_stored")


def _collapse_equal_neighbours(table: SilverTable, changes: DataFrame) -> DataFrame:
    """Needs: keys, tracked columns, `_time`, `_next`, `_is_late`, `_is_delete` and what orders the changes.

    Adds: `_shows` (neither late nor followed by another change of the same time), and over the changes that show
    `_begins` and `_ends` (the first and the last of neighbours with equal tracked values) and `_until` (the time of the
    next change that shows).
    """
    is_last_of_time = F.col("_next").isNull() | (F.col("_next") != F.col("_time"))
    values = F.when(~F.col("_is_delete"), tracked_values(table))
    state = F.struct("_is_delete", values.alias("values"))
    changes = changes.withColumns({"_shows": is_last_of_time & ~F.col("_is_late"), "_state": state})
    shown = _in_order(table, changes, "_shows")
    neighbours = {
        "_begins": ~F.lag("_state").over(shown).eqNullSafe(F.col("_state")),
        "_ends": ~F.lead("_state").over(shown).eqNullSafe(F.col("_state")),
        "_until": F.lead("_time").over(shown),
    }
    return changes.withColumns(neighbours).drop("_state")


def _intervals(table: SilverTable, changes: DataFrame) -> DataFrame:
    """Needs: keys, `_since`, `_is_delete`, `_shows`, `_begins`, `_ends`, `_until` and what orders the changes.

    Adds: `valid_from`, `valid_to`, `is_current`. A deleted state is no version; the key's last one is its tombstone.
    """
    so_far = _in_order(table, changes, "_shows").rowsBetween(Window.unboundedPreceding, Window.currentRow)
    began = F.last(F.when(F.col("_begins"), F.col("_since")), ignorenulls=True).over(so_far)
    is_open, is_delete = F.col("_until").isNull(), F.col("_is_delete")
    is_version = F.col("_shows") & F.col("_ends") & (~is_delete | is_open)
    return changes.withColumn("_began", began).select(
        *map(quoted, business_columns(changes)),
        "_sequence",
        "_is_delete",
        F.when(~is_delete, F.col("_data_quality_score")).alias("_data_quality_score"),
        *PROVENANCE,
        "_is_new",
        "_is_last",
        "_is_late",
        "_is_undecided",
        F.when(is_version, F.col("_began")).alias("valid_from"),
        F.col("_until").alias("valid_to"),
        (is_open & ~is_delete).alias("is_current"),
    )


def _in_order(table: SilverTable, changes: DataFrame, *within: str) -> WindowSpec:
    """The changes of a key. Full ties keep the least ingestion day and file, whatever the order of runs was."""
    return Window.partitionBy(*keys_of(table), *within).orderBy(*last_last(changes))
