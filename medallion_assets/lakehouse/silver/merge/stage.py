"""A merge that is computed and persisted, and not written yet."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pyspark.sql import Column as Expression
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from medallion_assets.contracts.technical_columns import PROVENANCE
from medallion_assets.lakehouse.silver.merge.key_ranges import KeyRange
from medallion_assets.lakehouse.silver.merge.row_outcomes import (
    RowOutcomes,
    as_outcomes,
    outcome,
    outcome_counts,
)
from medallion_assets.lakehouse.silver.merge.tombstones import is_expired

NULL_PARTITION = ""


@dataclass(frozen=True)
class Staged:
    """A fold that is computed and persisted, not yet written.

    rows: one row a change (or a stored row that must go), with `_outcome` and `_action` (put, drop or NULL)
    outcomes: what became of the step's own rows
    puts, drops, replaced: rows to write, rows to remove, and how many of the puts replace a stored row
    old_partitions: the partitions of the stored rows that go or are replaced
    unique: every changed key has at most one current row
    near: ranges that hold every changed key; empty where nobody looked for them
    late: own changes that cannot be folded on top
    """

    rows: DataFrame
    outcomes: RowOutcomes
    puts: int
    drops: int
    replaced: int
    old_partitions: frozenset[str]
    unique: bool
    near: Sequence[KeyRange] = ()
    late: int = 0


def stage(
    joined: DataFrame,
    action: Expression,
    wins: Expression,
    joins: Expression,
    expected: int,
    late: Expression | None = None,
    near: Sequence[KeyRange] = (),
    horizon: datetime | None = None,
) -> Staged:
    """Persists the changes, joined with what is stored of them (`_current`), and counts them in one pass.

    action, wins: what to do with a row, and whether it holds the last change of its key
    joins: an aggregate that comes to `expected` if every key has at most one current row
    horizon: a tombstone of an earlier time is not put; what it would have replaced goes
    """
    if horizon:
        purged = (action == "put") & is_expired(joined, horizon)
        action = F.when(purged, F.when(F.col("_current").isNotNull(), "drop")).otherwise(action)
    rows = joined.withColumns({"_action": action, "_outcome": F.when(F.col("_own"), outcome(wins))}).persist()
    put, drop, known = F.col("_action") == "put", F.col("_action") == "drop", F.col("_current").isNotNull()
    partition = F.coalesce(F.col("_current.partition"), F.lit(NULL_PARTITION))
    counts = (
        rows.groupBy(*[F.when(F.col("_own"), F.col(column)).alias(column) for column in PROVENANCE])
        .agg(
            *outcome_counts(),
            F.count_if(put).alias("puts"),
            F.count_if(drop).alias("drops"),
            F.count_if(put & known).alias("replaced"),
            joins.alias("joins"),
            F.count_if(F.lit(False) if late is None else late).alias("late"),
            F.collect_set(F.when((put | drop) & known, partition)).alias("old_partitions"),
        )
        .collect()
    )
    return Staged(
        rows=rows,
        outcomes=as_outcomes(counts),
        puts=sum(row["puts"] for row in counts),
        drops=sum(row["drops"] for row in counts),
        replaced=sum(row["replaced"] for row in counts),
        old_partitions=frozenset(value for row in counts for value in row["old_partitions"]),
        unique=sum(row["joins"] for row in counts) == expected,
        near=near,
        late=sum(row["late"] for row in counts),
    )
