"""The figures of one ingestion day of silver: the outcome of every row, file by file."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from medallion_assets.contracts.silver import SilverTable
from medallion_assets.contracts.watermark import later
from medallion_assets.lakehouse.control.file_ledger import IN_PROGRESS, LOADED, FoldedEntry, LandedEntry
from medallion_assets.lakehouse.silver.validation import tally, validate
from medallion_assets.lakehouse.storage.lake import Lake
from medallion_assets.lakehouse.storage.predicates import days_predicate

Files = Mapping[str, Collection[str]]
"""Ingestion day -> paths."""


@dataclass(frozen=True)
class SilverDayMetrics:
    """What is known of one ingestion day of silver; counts are as of the commits that folded the day's files.

    unique: no key of the whole table has two rows; stale_days: days of the table merged under an older contract
    """

    day: str
    files: Mapping[str, FoldedEntry] = field(default_factory=dict)
    landed: Mapping[str, LandedEntry] = field(default_factory=dict)
    unique: bool = True
    stale_days: Sequence[str] = ()

    @property
    def has_data(self) -> bool:
        return bool(self.landed)

    def total(self, count: str) -> int:
        """The sum over the day's files of rows, current, superseded, deleted or quarantined."""
        return sum(getattr(entry, count) for entry in self.files.values())

    def broken(self, rule: str) -> int:
        return sum(entry.broken.get(rule, 0) for entry in self.files.values())

    @property
    def quality_score(self) -> float | None:
        """The mean score of the day's rows, quarantine included."""
        rows = self.total("rows")
        return round(sum(entry.score_sum for entry in self.files.values()) / rows, 2) if rows else None

    @property
    def quarantine_ratio(self) -> float:
        rows = self.total("rows")
        return self.total("quarantined") / rows if rows else 0.0

    @property
    def unaccounted(self) -> dict[str, int]:
        """Files whose outcomes do not add up to the rows that bronze landed: path -> rows without an outcome."""
        missing = {path: entry.rows - _outcomes(self.files.get(path)) for path, entry in self.landed.items()}
        return {path: rows for path, rows in missing.items() if rows}


def _outcomes(entry: FoldedEntry | None) -> int:
    return entry.current + entry.superseded + entry.deleted + entry.quarantined if entry else 0


def counted(
    table: SilverTable, validated: DataFrame, landed: Mapping[str, Mapping[str, LandedEntry]]
) -> tuple[dict[str, dict[str, FoldedEntry]], str | None]:
    """One entry per day and file of the rows, with every valid row as current; and the newest change's time."""
    found: dict[str, dict[str, FoldedEntry]] = defaultdict(dict)
    newest: list[str] = []
    for row in tally(table, validated).collect():
        newest += [row["newest"]] if row["newest"] is not None else []
        day, path = str(row["_ingestion_date"]), row["_source_file"]
        found[day][path] = replace(
            started_entry(table, landed[day][path]),
            fingerprint=table.fingerprint,
            rows=row["rows"],
            current=row["rows"] - row["quarantined"],
            quarantined=row["quarantined"],
            score_sum=row["score_sum"],
            broken={
                rule.name: row[f"broken_{i}"] for i, rule in enumerate(table.row_rules) if row[f"broken_{i}"]
            },
        )
    return found, reduce(later, newest) if newest else None


def started_entry(table: SilverTable, landed: LandedEntry) -> FoldedEntry:
    return FoldedEntry(
        table_name=table.key,
        day=landed.day,
        path=landed.path,
        size=landed.size,
        modified_at=landed.modified_at,
        fingerprint=IN_PROGRESS,
        rows=0,
        current=0,
        superseded=0,
        deleted=0,
        quarantined=0,
        score_sum=0.0,
    )


def with_rows(files: Mapping[str, LandedEntry]) -> dict[str, LandedEntry]:
    return {path: entry for path, entry in files.items() if entry.status == LOADED}


def unchanged_files(
    folded: Mapping[str, Mapping[str, FoldedEntry]], landed: Mapping[str, Mapping[str, LandedEntry]]
) -> dict[str, set[str]]:
    """The files that are landed as they were folded."""
    return {
        day: {path for path, entry in files.items() if _is_unchanged(entry, landed.get(day, {}).get(path))}
        for day, files in folded.items()
    }


def _is_unchanged(folded: FoldedEntry, landed: LandedEntry | None) -> bool:
    return landed is not None and folded.identity == landed.identity and folded.fingerprint != IN_PROGRESS


def validated_rows(lake: Lake, table: SilverTable, files: Files) -> DataFrame:
    """The bronze rows of these files, validated."""
    days = sorted(day for day, paths in files.items() if paths)
    paths = sorted(path for listed in files.values() for path in listed)
    bronze = lake.read(table.inputs[0].key)
    if not days:
        return validate(table, bronze.limit(0))
    return validate(
        table,
        bronze.where(F.expr(days_predicate("_ingestion_date", days)) & F.col("_source_file").isin(paths)),
    )
