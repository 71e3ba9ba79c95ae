"""The metrics of one ingestion day of silver: the outcome of every row, file by file."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import reduce

from pyspark.sql import Column as Expression
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from medallion_assets.contracts.silver import SilverTable
from medallion_assets.contracts.technical_columns import PROVENANCE
from medallion_assets.contracts.watermark import later
from medallion_assets.lakehouse.control.file_ledger import FoldedEntry, LandedEntry
from medallion_assets.lakehouse.silver.ledgers import started_entry
from medallion_assets.lakehouse.silver.validation import VALID, breaks
from medallion_assets.lakehouse.spark.expressions import quoted

OUTCOMES = ("current", "superseded", "deleted", "void", "quarantined")
"""What becomes of landed rows, each of one. Void: the contract says that it is to be ignored."""


@dataclass(frozen=True)
class SilverDayMetrics:
    """What is known of one ingestion day of silver; counts are as of the commits that merged the day's files.

    files, landed: what the ledgers of silver and of bronze say, path -> entry
    unique: every key that the day changed has one current row
    stale_days: days of the table that were merged under an older contract
    not_in_bronze: landed files of the day that bronze has not taken as they are
    """

    day: str
    files: Mapping[str, FoldedEntry] = field(default_factory=dict)
    landed: Mapping[str, LandedEntry] = field(default_factory=dict)
    unique: bool = True
    stale_days: Sequence[str] = ()
    not_in_bronze: Sequence[str] = ()

    @property
    def has_data(self) -> bool:
        return bool(self.landed)

    def total(self, count: str) -> int:
        """The sum over the day's files of rows, current, superseded, deleted, void, quarantined or undecided."""
        return sum(getattr(entry, count) for entry in self.files.values())

    @property
    def judged(self) -> int:
        """The rows that rules judge: all but those that are ignored."""
        return self.total("rows") - self.total("void")

    def broken(self, rule: str) -> int:
        """How many of the day's rows break the rule."""
        return sum(entry.broken.get(rule, 0) for entry in self.files.values())

    @property
    def quality_score(self) -> float | None:
        """The mean score of the day's rows (0 to 100), quarantine included; None without rows."""
        rows = self.judged
        return round(sum(entry.score_sum for entry in self.files.values()) / rows, 2) if rows else None

    @property
    def quarantine_ratio(self) -> float:
        """The share of the day's rows that are in quarantine, 0 to 1."""
        return self.total("quarantined") / self.judged if self.judged else 0.0

    @property
    def unaccounted(self) -> dict[str, int]:
        """Files whose outcomes do not add up to the rows that bronze landed: path -> rows without an outcome."""
        missing = {path: entry.rows - _outcomes(self.files.get(path)) for path, entry in self.landed.items()}
        return {path: rows for path, rows in missing.items() if rows}

    @property
    def without_op(self) -> list[str]:
        """Files in which no row has an op that is known."""
        judged = {path: entry.rows - entry.void for path, entry in self.files.items()}
        return sorted(
            path for path, rows in judged.items() if 0 < rows == self.files[path].broken.get("op_known")
        )


def _outcomes(entry: FoldedEntry | None) -> int:
    return sum(getattr(entry, name) for name in OUTCOMES) if entry else 0


def count_validated(
    table: SilverTable,
    validated: DataFrame,
    landed: Mapping[str, Mapping[str, LandedEntry]],
    new_columns: Sequence[str] = (),
) -> tuple[dict[str, dict[str, FoldedEntry]], str | None, dict[str, set[str]]]:
    """One entry per day and file of the rows, with every valid row as current; the newest change's time; day -> those
    of the new columns in which a valid row has a value.

    Needs: what `validate` adds. One pass over the rows.
    """
    found: dict[str, dict[str, FoldedEntry]] = defaultdict(dict)
    with_values: dict[str, set[str]] = defaultdict(set)
    newest: list[str] = []
    for row in _counts(table, validated, new_columns).collect():
        newest += [row["newest"]] if row["newest"] is not None else []
        day, path = str(row["_ingestion_date"]), row["_source_file"]
        with_values[day] |= {name for i, name in enumerate(new_columns) if row[f"has_{i}"]}
        broken = {rule.name: row[f"broken_{i}"] for i, rule in enumerate(table.row_rules)}
        found[day][path] = replace(
            started_entry(table, landed[day][path]),
            fingerprint=table.fingerprint,
            rows=row["rows"],
            current=row["rows"] - row["quarantined"] - row["void"],
            void=row["void"],
            quarantined=row["quarantined"],
            score_sum=row["score_sum"],
            broken={name: rows for name, rows in broken.items() if rows},
        )
    return found, reduce(later, newest) if newest else None, with_values


def _counts(table: SilverTable, validated: DataFrame, new_columns: Sequence[str]) -> DataFrame:
    """One row per ingestion day and file: rows, quarantined, void, score_sum and rows that break rule i (`broken_<i>`).

    `has_<i>`: whether a valid row, that is no delete, has a value in the new column i.
    `newest`: the latest time (or number) of change of a valid row, as text; not of one more than a day ahead of us.
    """
    kept = ~F.col("_quarantined") & ~F.col("_is_delete")
    return validated.groupBy(*PROVENANCE).agg(
        F.count("*").alias("rows"),
        F.sum(F.col("_quarantined").cast("long")).alias("quarantined"),
        F.count_if("_is_void").alias("void"),
        F.coalesce(F.sum("_data_quality_score"), F.lit(0.0)).alias("score_sum"),
        *[F.sum(breaks(i)).alias(f"broken_{i}") for i in range(len(table.row_rules))],
        _newest(table).alias("newest"),
        *[F.bool_or(kept & quoted(name).isNotNull()).alias(f"has_{i}") for i, name in enumerate(new_columns)],
    )


def _newest(table: SilverTable) -> Expression:
    first = table.write.sequence[:1]
    if not first:
        return F.lit(None).cast("string")
    value, counts = quoted(first[0]), F.expr(VALID)
    if table.types.get(first[0]) in ("timestamp", "date"):
        counts = counts & (value <= F.current_timestamp() + F.lit(timedelta(days=1)))
    return F.max(F.when(counts, value)).cast("string")
