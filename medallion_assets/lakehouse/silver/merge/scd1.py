"""Merges changes into a table that keeps the latest of each key (SCD1). See `MergeStrategy` for the three ways."""

from collections.abc import Callable, Sequence
from datetime import datetime

from pyspark.sql import Column as Expression
from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from medallion_assets.contracts.silver import SilverTable
from medallion_assets.contracts.technical_columns import PROVENANCE
from medallion_assets.lakehouse.silver.merge.key_ranges import KeyRange, key_ranges
from medallion_assets.lakehouse.silver.merge.resolution import (
    STORED,
    comes_after_current,
    is_tied,
    join_current,
    keys_of,
    ranked,
    same_as_current,
    with_current,
)
from medallion_assets.lakehouse.silver.merge.stage import Staged, StagingRule, stage
from medallion_assets.lakehouse.silver.merge.tombstones import may_be_outdated
from medallion_assets.lakehouse.silver.run import SilverRun


def merge_new(run: SilverRun, new_changes: DataFrame, stored_changes: Callable[[], DataFrame]) -> Staged:
    """A change applies only if it comes after what is stored.

    A key that is not stored may have been deleted and its tombstone purged: where its last change is older than the
    horizon, the key is merged from all its changes.
    """
    table = run.table
    ranges = key_ranges(run.lake, table, new_changes)
    changes = new_changes.withColumn("_is_new", F.lit(True))
    staged = _merge(run, changes, ranges)
    if not staged.late:
        return staged
    unknown = staged.rows.where("_is_late").select(*keys_of(table))
    related = _related(table, stored_changes(), unknown)
    again = _merge(run, changes.unionByName(related, allowMissingColumns=True), ranges)
    staged.rows.unpersist()
    return again


def _merge(run: SilverRun, changes: DataFrame, ranges: Sequence[KeyRange]) -> Staged:
    joined = with_current(run.lake, run.table, ranked(run.table, changes), ranges)
    first, unknown = F.col("_rank") == 1, F.col("_current").isNull()
    applies = first & (unknown | comes_after_current(joined))
    stays = first & same_as_current("_sequence", *PROVENANCE)
    rule = StagingRule(
        action=F.when(applies, "put"),
        wins=applies | stays,
        is_duplicate=_is_duplicate(run.table),
        late=first & unknown & _may_be_outdated(joined, run.horizon),
        is_undecided=is_tied(joined),
    )
    return stage(joined, rule, run.horizon, ranges)


def remerge_keys(run: SilverRun, new_changes: DataFrame, stored_changes: Callable[[], DataFrame]) -> Staged:
    """Every new key, and every key whose current row came from a restated day.

    With a horizon also every key that is not stored: its purged tombstone may have come from one of these days.
    """
    table, others = run.table, stored_changes()
    affected = _affected_keys(run, new_changes, others).distinct().persist()
    new = new_changes.withColumn("_is_new", F.lit(True))
    related = _related(table, others, affected)
    changes = ranked(table, new.unionByName(related, allowMissingColumns=True))
    joined = with_current(run.lake, table, affected.join(changes, list(table.merge_keys), "left"))
    first, lost = F.col("_rank") == 1, F.col("_rank").isNull() & F.col("_current").isNotNull()
    rule = StagingRule(
        action=F.when(lost, "drop").when(first & ~same_as_current(*STORED), "put"),
        wins=first,
        is_duplicate=_is_duplicate(table),
        late=F.lit(False),
        is_undecided=F.col("_is_undecided"),
    )
    staged = stage(joined, rule, run.horizon)
    affected.unpersist()
    return staged


def _affected_keys(run: SilverRun, new_changes: DataFrame, others: DataFrame) -> DataFrame:
    keys = keys_of(run.table)
    affected = new_changes.select(*keys)
    if not run.lake.exists(run.table.key):
        return affected
    stored = run.lake.read(run.table.key)
    from_restated = stored.where(F.col("_ingestion_date").cast("string").isin(run.restated))
    affected = affected.union(from_restated.select(*keys))
    if run.horizon is None:
        return affected
    return affected.union(others.join(stored, list(run.table.merge_keys), "left_anti").select(*keys))


def rebuild(run: SilverRun, new_changes: DataFrame, stored_changes: Callable[[], DataFrame]) -> Staged:
    """The last change of each key."""
    joined = join_current(run.table, ranked(run.table, new_changes.withColumn("_is_new", F.lit(True))), None)
    first = F.col("_rank") == 1
    rule = StagingRule(
        action=F.when(first, "put"),
        wins=first,
        is_duplicate=F.lit(False),
        late=F.lit(False),
        is_undecided=F.col("_is_undecided"),
    )
    return stage(joined, rule, run.horizon)


def _related(table: SilverTable, stored_changes: DataFrame, keys: DataFrame) -> DataFrame:
    """The stored changes of these keys. Adds: `_is_new`."""
    related = stored_changes.join(keys, list(table.merge_keys), "left_semi")
    return related.withColumn("_is_new", F.lit(False))


def _may_be_outdated(changes: DataFrame, horizon: datetime | None) -> Expression:
    return may_be_outdated(changes, horizon) if horizon else F.lit(False)


def _is_duplicate(table: SilverTable) -> Expression:
    """The join with two current rows of a key gives its last change twice. Needs: keys, `_rank`."""
    return F.count_if(F.col("_rank") == 1).over(Window.partitionBy(*keys_of(table))) > 1
