"""What became of each change: current, superseded or deleted; and how many were decided by content alone."""

from collections.abc import Mapping, Sequence

from pyspark.sql import Column as Expression
from pyspark.sql import Row
from pyspark.sql import functions as F

_OUTCOMES = ("current", "superseded", "deleted")
UNDECIDED = "undecided"
NO_OUTCOMES = dict.fromkeys((*_OUTCOMES, UNDECIDED), 0)

RowOutcomes = Mapping[tuple[str, str], Mapping[str, int]]
"""(ingestion day, file) -> rows that are current, superseded or deleted, and beside these undecided ones."""


def outcome(wins: Expression) -> Expression:
    """By whether the change is the last one of its key. Needs: `_is_delete`."""
    return F.when(~wins, "superseded").when(F.col("_is_delete"), "deleted").otherwise("current")


def outcome_counts() -> list[Expression]:
    """Aggregates, one an outcome. Needs: `_outcome`, `_is_undecided`."""
    counts = [F.count_if(F.col("_outcome") == name).alias(name) for name in _OUTCOMES]
    return [*counts, F.count_if("_is_undecided").alias(UNDECIDED)]


def as_outcomes(counts: Sequence[Row]) -> RowOutcomes:
    """Counts by `_ingestion_date` and `_source_file`; rows without a file are none of the run's own."""
    return {
        (str(row["_ingestion_date"]), row["_source_file"]): {name: row[name] for name in NO_OUTCOMES}
        for row in counts
        if row["_source_file"] is not None
    }
