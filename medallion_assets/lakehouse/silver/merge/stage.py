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
class StagingRule:
    """What becomes of a row, each an expression over it.

    action: put, drop or NULL (stays as it is)
    wins: it holds the last change of its key
    is_duplicate: its key has more than one current row in the table
    late: a new change that stored rows alone cannot place
    is_undecided: content alone decides between the change and another one
    """

    action: Expression
    wins: Expression
    is_duplicate: Expression
    late: Expression
    is_undecided: Expression


@dataclass(frozen=True)
class Staged:
    """A merge that is computed and persisted, not yet written.

    rows: one row a change (or a stored row that must go), with `_outcome`, `_action` (put, drop or NULL), `_is_late`
    outcomes: what became of the new changes
    puts, drops, replaced: rows to write, rows to remove, and how many of the puts replace a stored row
    old_partitions: the partitions of the stored rows that go or are replaced
    unique: every changed key has at most one current row
    late: how many new changes stored rows alone cannot place
    ranges: they hold every changed key; empty where nobody looked for them
    """

    rows: DataFrame
    outcomes: RowOutcomes
    puts: int
    drops: int
    replaced: int
    old_partitions: frozenset[str]
    unique: bool
    late: int
    ranges: Sequence[KeyRange]


def stage(
    joined: DataFrame, rule: StagingRule, horizon: datetime | None, ranges: Sequence[KeyRange] = ()
) -> Staged:
    """Persists the changes, joined with what is stored of them, and counts them in one pass.

    Needs: `_current` (NULL where nothing is stored), `_is_new`, `_is_delete`, `_sequence`, `_ingestion_date`,
    `_source_file`. Adds: `_action`, `_outcome`, `_is_late`, `_is_duplicate`, `_is_undecided`.
    horizon: a tombstone of an earlier time is not put; what it would have replaced goes
    """
    added = {
        "_action": _unless_purged(joined, rule.action, horizon),
        "_outcome": F.when(F.col("_is_new"), outcome(rule.wins)),
        "_is_late": rule.late,
        "_is_duplicate": rule.is_duplicate,
        "_is_undecided": F.col("_is_new") & rule.is_undecided,
    }
    rows = joined.withColumns(added).persist()
    of_new = [F.when(F.col("_is_new"), F.col(column)).alias(column) for column in PROVENANCE]
    counts = rows.groupBy(*of_new).agg(*outcome_counts(), *_counts()).collect()
    return Staged(
        rows=rows,
        outcomes=as_outcomes(counts),
        puts=sum(row["puts"] for row in counts),
        drops=sum(row["drops"] for row in counts),
        replaced=sum(row["replaced"] for row in counts),
        old_partitions=frozenset(value for row in counts for value in row["old_partitions"]),
        unique=not any(row["duplicates"] for row in counts),
        late=sum(row["late"] for row in counts),
        ranges=ranges,
    )


def _unless_purged(joined: DataFrame, action: Expression, horizon: datetime | None) -> Expression:
    if horizon is None:
        return action
    purged = (action == "put") & is_expired(joined, horizon)
    return F.when(purged, F.when(F.col("_current").isNotNull(), "drop")).otherwise(action)


def _counts() -> list[Expression]:
    put, drop, known = F.col("_action") == "put", F.col("_action") == "drop", F.col("_current").isNotNull()
    partition = F.coalesce(F.col("_current.partition"), F.lit(NULL_PARTITION))
    return [
        F.count_if(put).alias("puts"),
        F.count_if(drop).alias("drops"),
        F.count_if(put & known).alias("replaced"),
        F.count_if("_is_duplicate").alias("duplicates"),
        F.count_if("_is_late").alias("late"),
        F.collect_set(F.when((put | drop) & known, partition)).alias("old_partitions"),
    ]
