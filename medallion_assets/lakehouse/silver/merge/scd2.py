"""Merges changes into a table that keeps the versions of each key (SCD2). See `MergeStrategy` for the three ways.

Changes that are later than all that is stored of their keys go on top of the last version, and those that repeat what
is stored change nothing. With any other change whole keys are merged again from bronze: a stored version does not keep
the changes that it was made of.
"""

from collections.abc import Callable, Sequence

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from medallion_assets.contracts.silver import SilverTable
from medallion_assets.contracts.technical_columns import PROVENANCE, SOURCE_ROW, VERSIONED
from medallion_assets.lakehouse.silver.merge.intervals import change_start, tracked_values, with_intervals
from medallion_assets.lakehouse.silver.merge.key_ranges import KeyRange, in_ranges, key_ranges
from medallion_assets.lakehouse.silver.merge.resolution import (
    STORED,
    keys_of,
    last_rows,
    partition_of,
    same_as_current,
)
from medallion_assets.lakehouse.silver.merge.stage import Staged, StagingRule, stage
from medallion_assets.lakehouse.silver.run import SilverRun
from medallion_assets.lakehouse.silver.standardize import business_columns
from medallion_assets.lakehouse.silver.stored_rows import stored_rows
from medallion_assets.lakehouse.spark.expressions import quoted

_CHANGE = ("_sequence", "_is_delete", "_data_quality_score", *PROVENANCE)


def merge_new(run: SilverRun, new_changes: DataFrame, stored_changes: Callable[[], DataFrame]) -> Staged:
    """On top of the last version of each key, or else the changed keys from all their changes."""
    table, keys = run.table, list(run.table.merge_keys)
    if not run.lake.exists(table.key):
        return rebuild(run, new_changes, stored_changes)
    ranges = key_ranges(run.lake, table, new_changes)
    affected = new_changes.select(*keys_of(table)).distinct()
    stored = stored_rows(run.lake, table).where(in_ranges(table, ranges)).join(affected, keys, "left_semi")
    last, changes = last_rows(table, stored), _changes(new_changes, is_new=True)
    on_top = changes.unionByName(_as_changes(last), allowMissingColumns=True)
    staged = _staged(run, with_intervals(table, on_top, run.horizon), last, ranges)
    if not staged.late or _repeats_stored(table, staged.rows.where("_is_late"), stored):
        return staged
    staged.rows.unpersist()
    related = stored_changes().join(affected, keys, "left_semi")
    again = changes.unionByName(_changes(related, is_new=False), allowMissingColumns=True)
    return _staged(run, with_intervals(table, again, None), stored, ranges)


def remerge_keys(run: SilverRun, new_changes: DataFrame, stored_changes: Callable[[], DataFrame]) -> Staged:
    """All keys from all their changes: a version does not tell of every change that it rests on."""
    stored = stored_rows(run.lake, run.table) if run.lake.exists(run.table.key) else None
    changes = _changes(new_changes, is_new=True)
    changes = changes.unionByName(_changes(stored_changes(), is_new=False), allowMissingColumns=True)
    return _staged(run, with_intervals(run.table, changes, None), stored)


def rebuild(run: SilverRun, new_changes: DataFrame, stored_changes: Callable[[], DataFrame]) -> Staged:
    """All versions that the changes make."""
    return _staged(run, with_intervals(run.table, _changes(new_changes, is_new=True), None), None)


def _repeats_stored(table: SilverTable, late: DataFrame, stored: DataFrame) -> bool:
    """Whether each late change says of its time what a stored version, or the gap between two, says already.

    Strictly before the last change that is stored there, which another of the same time could replace. Of a key whose
    last change is not stored, a purged tombstone, nothing is said already. A tombstone without versions begins with the
    first of its deletes.
    """
    beside, keys = _beside_stored(table, late, stored), keys_of(table)
    at, of = change_start(beside), F.col("_version").getField
    has_begun = of("is_version") & (at >= of("valid_from"))
    covered = has_begun & (of("valid_to").isNull() | (at < of("valid_to")))
    resent = (F.col("_sequence") == of("_sequence")) & (F.col("_source") >= of("source"))
    again = has_begun & (at < of("last")) & F.col("_values").eqNullSafe(of("values"))
    change = [*keys, "_sequence", "_is_delete", "_source", at.alias("_at")]
    found = beside.groupBy(*change).agg(
        F.bool_or(resent | again).alias("_again"),
        F.bool_or(covered).alias("_covered"),
        F.bool_and(~of("is_version") & (at < of("valid_from"))).alias("_begins_tombstone"),
        F.max(of("last")).alias("_last"),
        F.coalesce(F.bool_or(of("is_last")), F.lit(False)).alias("_is_known"),
    )
    is_new = "NOT _is_known OR IF(_is_delete, _covered OR _begins_tombstone OR _at >= _last, NOT _again)"
    return found.where(is_new).isEmpty()


def _beside_stored(table: SilverTable, late: DataFrame, stored: DataFrame) -> DataFrame:
    """Each late change with each stored version of its key (`_version`), or NULL. Adds: `_source`, `_values`."""
    values, source = tracked_values(table), F.struct(*PROVENANCE)
    version = F.struct(
        "valid_from",
        "valid_to",
        "_sequence",
        change_start(stored).alias("last"),
        F.col("_deleted_at").isNull().alias("is_version"),
        F.expr("is_current OR _deleted_at IS NOT NULL").alias("is_last"),
        source.alias("source"),
        values.alias("values"),
    )
    keys = keys_of(table)
    changes = late.select(*keys, "_sequence", "_is_delete", source.alias("_source"), values.alias("_values"))
    return changes.join(stored.select(*keys, version.alias("_version")), list(table.merge_keys), "left")


def _changes(rows: DataFrame, is_new: bool) -> DataFrame:
    """What `with_intervals` needs of validated rows."""
    return rows.select(
        *map(quoted, business_columns(rows)),
        *_CHANGE,
        SOURCE_ROW,
        F.lit(is_new).alias("_is_new"),
        F.lit(False).alias("_is_stored"),
        change_start(rows).alias("_since"),
    )


def _as_changes(last: DataFrame) -> DataFrame:
    """The last version of each key, or its tombstone, as a change that begins when the version did."""
    rows = last.withColumn("_is_delete", F.col("_deleted_at").isNotNull())
    return rows.select(
        *[quoted(name) for name in business_columns(last) if name not in VERSIONED],
        *_CHANGE,
        F.lit(False).alias("_is_new"),
        F.lit(True).alias("_is_stored"),
        F.col("valid_from").alias("_since"),
    )


def _staged(
    run: SilverRun, found: DataFrame, stored: DataFrame | None, ranges: Sequence[KeyRange] = ()
) -> Staged:
    """The versions that were found, beside those that are stored of these keys: what differs is put or dropped."""
    table = run.table
    if stored is None:
        stored = found.withColumn("_deleted_at", F.lit(None).cast("timestamp")).limit(0)
    is_last = F.col("is_current") | F.col("_deleted_at").isNotNull()
    lasts = F.count_if(is_last).over(Window.partitionBy(*keys_of(table)))
    partition = partition_of(table).alias("partition")
    current = F.struct(*STORED, "valid_to", partition, lasts.alias("lasts")).alias("_current")
    row_key = table.write.row_key
    joined = found.join(stored.select(*map(quoted, row_key), current), list(row_key), "full_outer")
    lost = F.col("_is_new").isNull()
    changed = F.col("valid_from").isNotNull() & ~same_as_current(*STORED, "valid_to")
    rule = StagingRule(
        action=F.when(lost, "drop").when(changed, "put"),
        wins=F.col("_is_last"),
        is_duplicate=F.col("_current.lasts") > 1,
        late=F.col("_is_late"),
        is_undecided=F.col("_is_undecided"),
    )
    return stage(joined, rule, run.horizon, ranges)
