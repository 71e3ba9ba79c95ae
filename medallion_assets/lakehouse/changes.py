"""Apply changes to a keyed table: which change of each key wins (SCD1), what became of every row, one commit.

Three ways lead to the same table. `fold_on_top` folds new rows onto the current ones; `fold_again` folds whole keys
again from bronze, for days whose files or rules changed; `fold_anew` folds all of bronze into an empty table. They only
stage; `publish` and `rewrite` write. `history` has the same three for tables that keep versions (SCD2).
"""

from collections.abc import Sequence

from pyspark.sql import Column as Expression
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from medallion_assets.contracts.table import Table
from medallion_assets.lakehouse.fates import (
    STORED,
    comes_after_current,
    join_current,
    policy,
    ranked,
    same_as_current,
    with_current,
)
from medallion_assets.lakehouse.judging import PROVENANCE
from medallion_assets.lakehouse.near import Range, key_ranges
from medallion_assets.lakehouse.publishing import Staged, stage
from medallion_assets.lakehouse.storage import Lake


def fold_on_top(lake: Lake, table: Table, own: DataFrame, rows: int) -> Staged:
    """`own`: new valid changes, `rows` of them. A change applies only if it comes after what is stored."""
    near = key_ranges(lake, table, own)
    joined = with_current(lake, table, ranked(table, own.withColumn("_own", F.lit(True))), near)
    first = F.col("_rank") == 1
    applies = first & (F.col("_current").isNull() | comes_after_current())
    stays = first & same_as_current("_sequence", *PROVENANCE)
    return _staged(joined, rows, action=F.when(applies, "put"), wins=applies | stays, near=near)


def fold_again(lake: Lake, table: Table, own: DataFrame, others: DataFrame, days: list[str]) -> Staged:
    """Every key of `own`, and every key whose current row came from one of `days`, from all its changes.

    `own` and `others` (the valid rows of all other folded files) together are all changes that count.
    """
    keys = list(policy(table).keys)
    affected = own.select(*keys)
    if lake.exists(table.key):
        held = lake.read(table.key).where(F.col("_ingestion_date").cast("string").isin(days))
        affected = affected.union(held.select(*keys))
    affected = affected.distinct().persist()
    related = others.join(affected, keys, "left_semi").withColumn("_own", F.lit(False))
    history = own.withColumn("_own", F.lit(True)).unionByName(related).persist()
    joined = with_current(lake, table, affected.join(ranked(table, history), keys, "left"))
    first, lost = F.col("_rank") == 1, F.col("_rank").isNull() & F.col("_current").isNotNull()
    action = F.when(lost, "drop").when(first & ~same_as_current(*STORED), "put")
    staged = _staged(joined, history.count(), action=action, wins=first)
    affected.unpersist()
    history.unpersist()
    return staged


def fold_anew(table: Table, own: DataFrame, rows: int) -> Staged:
    """A table from nothing: `own` are all valid changes, `rows` of them."""
    changes = ranked(table, own.withColumn("_own", F.lit(True)))
    first = F.col("_rank") == 1
    return _staged(join_current(table, changes, None), rows, action=F.when(first, "put"), wins=first)


def _staged(
    joined: DataFrame, changes: int, action: Expression, wins: Expression, near: Sequence[Range] = ()
) -> Staged:
    """Each change was joined with at most one current row if there are as many rows with a rank as changes."""
    joins = F.count_if(F.col("_rank").isNotNull())
    return stage(joined, action, wins, joins, changes, near=near)
