"""Apply changes to a keyed table: which change of each key wins (SCD1), what became of every row, one commit.

Three ways lead to the same table. `merge_new` folds new rows onto the current ones; `remerge_keys` folds whole keys
again from bronze, for days whose files or rules changed; `rebuild` folds all of bronze into an empty table. They only
stage; `publish` and `rewrite` write. `history` has the same three for tables that keep versions (SCD2). All of them
leave out the tombstones before `horizon`, which are purged.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from pyspark.sql import Column as Expression
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from medallion_assets.contracts.silver import SilverTable
from medallion_assets.contracts.technical_columns import PROVENANCE
from medallion_assets.lakehouse.silver.merge.key_ranges import KeyRange, key_ranges
from medallion_assets.lakehouse.silver.merge.resolution import (
    STORED,
    comes_after_current,
    join_current,
    ranked,
    same_as_current,
    with_current,
)
from medallion_assets.lakehouse.silver.merge.stage import Staged, stage
from medallion_assets.lakehouse.silver.merge.tombstones import may_be_outdated
from medallion_assets.lakehouse.spark.expressions import quoted
from medallion_assets.lakehouse.storage.lake import Lake


def merge_new(
    lake: Lake,
    table: SilverTable,
    own: DataFrame,
    rows: int,
    others: Callable[[], DataFrame],
    horizon: datetime | None = None,
) -> Staged:
    """`own`: new valid changes, `rows` of them. A change applies only if it comes after what is stored.

    A key that is not stored may have been deleted and its tombstone purged: where its last change is older than the
    horizon, it is folded again from all its changes. `others` gives those of all other folded files.
    """
    near = key_ranges(lake, table, own)
    own = own.withColumn("_own", F.lit(True))
    staged = _on_top(lake, table, own, rows, near, horizon)
    if not staged.late:
        return staged
    keys = list(table.merge_keys)
    unknown = staged.rows.where("_is_late").select(*map(quoted, keys))
    related = others().join(unknown, keys, "left_semi").withColumn("_own", F.lit(False))
    changes = own.unionByName(related).persist()
    again = _on_top(lake, table, changes, changes.count(), near, horizon)
    changes.unpersist()
    staged.rows.unpersist()
    return again


def _on_top(
    lake: Lake,
    table: SilverTable,
    changes: DataFrame,
    rows: int,
    near: Sequence[KeyRange],
    horizon: datetime | None,
) -> Staged:
    joined = with_current(lake, table, ranked(table, changes), near)
    first, unknown = F.col("_rank") == 1, F.col("_current").isNull()
    late = first & unknown & may_be_outdated(joined, horizon) if horizon else F.lit(False)
    joined = joined.withColumn("_is_late", late)
    applies = first & (unknown | comes_after_current())
    stays = first & same_as_current("_sequence", *PROVENANCE)
    return _staged(joined, rows, F.when(applies, "put"), applies | stays, horizon, F.col("_is_late"), near)


def remerge_keys(
    lake: Lake,
    table: SilverTable,
    own: DataFrame,
    others: DataFrame,
    days: list[str],
    horizon: datetime | None = None,
) -> Staged:
    """Every key of `own`, and every key whose current row came from one of `days`, from all its changes.

    `own` and `others` (the valid rows of all other folded files) together are all changes that count. With a horizon
    also every key that is not stored: its purged tombstone may have come from one of the days.
    """
    keys = list(table.merge_keys)
    affected = own.select(*map(quoted, keys))
    if lake.exists(table.key):
        held = lake.read(table.key).where(F.col("_ingestion_date").cast("string").isin(days))
        affected = affected.union(held.select(*map(quoted, keys)))
        if horizon:
            affected = affected.union(
                others.join(lake.read(table.key), keys, "left_anti").select(*map(quoted, keys))
            )
    affected = affected.distinct().persist()
    related = others.join(affected, keys, "left_semi").withColumn("_own", F.lit(False))
    history = own.withColumn("_own", F.lit(True)).unionByName(related).persist()
    joined = with_current(lake, table, affected.join(ranked(table, history), keys, "left"))
    first, lost = F.col("_rank") == 1, F.col("_rank").isNull() & F.col("_current").isNotNull()
    action = F.when(lost, "drop").when(first & ~same_as_current(*STORED), "put")
    staged = _staged(joined, history.count(), action, first, horizon)
    affected.unpersist()
    history.unpersist()
    return staged


def rebuild(table: SilverTable, own: DataFrame, rows: int, horizon: datetime | None = None) -> Staged:
    """A table from nothing: `own` are all valid changes, `rows` of them."""
    changes = ranked(table, own.withColumn("_own", F.lit(True)))
    first = F.col("_rank") == 1
    return _staged(join_current(table, changes, None), rows, F.when(first, "put"), first, horizon)


def _staged(
    joined: DataFrame,
    changes: int,
    action: Expression,
    wins: Expression,
    horizon: datetime | None,
    late: Expression | None = None,
    near: Sequence[KeyRange] = (),
) -> Staged:
    """Each change was joined with at most one current row if there are as many rows with a rank as changes."""
    joins = F.count_if(F.col("_rank").isNotNull())
    return stage(joined, action, wins, joins, changes, late, near, horizon)
