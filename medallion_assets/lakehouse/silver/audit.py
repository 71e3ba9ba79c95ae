"""Silver as it is now: the stale days, and the metrics of days counted in what is stored. Writes nothing."""

from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from medallion_assets.contracts.silver import SilverTable
from medallion_assets.contracts.technical_columns import PROVENANCE
from medallion_assets.lakehouse.control.file_ledger import KEPT, FoldedEntry, columns, entries
from medallion_assets.lakehouse.control.purge_horizons import last_horizon
from medallion_assets.lakehouse.landing.area import LandingError
from medallion_assets.lakehouse.landing.listing import list_files
from medallion_assets.lakehouse.silver.day_metrics import SilverDayMetrics, count_validated
from medallion_assets.lakehouse.silver.ledgers import landed_entries, unchanged_files, with_rows
from medallion_assets.lakehouse.silver.merge.resolution import (
    STORED,
    comes_after_current,
    is_tied,
    keys_of,
    ranked,
    same_as_current,
    with_current,
)
from medallion_assets.lakehouse.silver.merge.row_outcomes import (
    RowOutcomes,
    as_outcomes,
    outcome,
    outcome_counts,
)
from medallion_assets.lakehouse.silver.merge.tombstones import is_expired, may_be_outdated
from medallion_assets.lakehouse.silver.quarantine import quarantine_key
from medallion_assets.lakehouse.silver.validation import valid_rows, validated_rows
from medallion_assets.lakehouse.storage.lake import Lake
from medallion_assets.lakehouse.storage.predicates import days_predicate


def stale_days(lake: Lake, table: SilverTable) -> list[str]:
    """Days that were merged under an older contract, oldest first."""
    merged = columns(lake.root, FoldedEntry, table.key, "day", "fingerprint")
    return sorted({day for day, fingerprint in merged if fingerprint != table.fingerprint})


def files_not_in_bronze(
    lake: Lake, table: SilverTable, days: Mapping[str, SilverDayMetrics]
) -> dict[str, list[str]]:
    """Day -> its landed files that bronze has not taken as they are now; none where nothing can be listed."""
    found: dict[str, list[str]] = {}
    for folder in (source.landing_folder for source in table.inputs if source.landing_folder):
        with suppress(LandingError):
            for file in list_files(lake.landing, folder, days):
                entry = days[file.day].landed.get(file.path)
                if entry is None or (entry.status != KEPT and entry.identity != file.identity):
                    found.setdefault(file.day, []).append(file.path)
    return found


def audit_days(lake: Lake, table: SilverTable, days: Collection[str]) -> dict[str, SilverDayMetrics]:
    """The metrics of `days` as of now, counted in the rows of bronze, silver and quarantine; writes nothing."""
    landed = landed_entries(lake.root, table, days)
    files = {day: with_rows(listed) for day, listed in landed.items()}
    if not any(files.values()):
        return {day: SilverDayMetrics(day, landed=landed[day]) for day in days}
    horizon = last_horizon(lake.root, table)
    validated = validated_rows(lake, table, files).persist()
    try:
        found, *_ = count_validated(table, validated, landed)
        outcomes, unique = _stored_outcomes(lake, table, validated, days, horizon)
    finally:
        validated.unpersist()
    quarantined = _quarantined(lake, table, days, horizon)

    def now(entry: FoldedEntry) -> FoldedEntry:
        source = (entry.day, entry.path)
        counts = {"current": 0, **outcomes.get(source, {}), "quarantined": quarantined.get(source, 0)}
        return replace(entry, **counts)

    counted = {day: {path: now(entry) for path, entry in found[day].items()} for day in days}
    return {day: SilverDayMetrics(day, counted[day], landed[day], unique) for day in days}


def _stored_outcomes(
    lake: Lake, table: SilverTable, validated: DataFrame, days: Collection[str], horizon: datetime | None
) -> tuple[RowOutcomes, bool]:
    """What became of the valid rows of the days, and whether no key has two rows."""
    if not table.write.has_keys:
        by_file = _rows_by_file(lake, table.key, days)
        return {source: {"current": rows} for source, rows in by_file.items()}, True
    valid = valid_rows(validated)
    outcomes = count_outcomes(lake, table, valid, lambda: _all_changes(lake, table), horizon)
    return outcomes, is_unique(lake, table)


def _all_changes(lake: Lake, table: SilverTable) -> DataFrame:
    """All valid changes that count."""
    landed = landed_entries(lake.root, table)
    files = unchanged_files(entries(lake.root, FoldedEntry, table.key), landed)
    return valid_rows(validated_rows(lake, table, files))


def _quarantined(
    lake: Lake, table: SilverTable, days: Collection[str], horizon: datetime | None
) -> dict[tuple[str, str], int]:
    """Rows in quarantine; of days from which they were purged, and that were not merged again, those of the ledger."""
    purged = [day for day in days if horizon and day < str(horizon.date())]
    known = entries(lake.root, FoldedEntry, table.key, purged)
    recorded = {
        (day, path): entry.quarantined for day, files in known.items() for path, entry in files.items()
    }
    return recorded | _rows_by_file(lake, quarantine_key(table.name), days)


def _rows_by_file(lake: Lake, key: str, days: Collection[str]) -> dict[tuple[str, str], int]:
    if not lake.exists(key):
        return {}
    rows = lake.read(key).where(days_predicate("_ingestion_date", days)).groupBy(*PROVENANCE).count()
    return {(str(row["_ingestion_date"]), row["_source_file"]): row["count"] for row in rows.collect()}


def count_outcomes(
    lake: Lake,
    table: SilverTable,
    changes: DataFrame,
    all_changes: Callable[[], DataFrame],
    horizon: datetime | None = None,
) -> RowOutcomes:
    """What became of valid changes, by what is stored now; a change that is newer than what is stored has no outcome.

    Needs: what `validate` adds. A purged tombstone is told from bronze: `all_changes` reads it, if it must be asked.
    """
    rows = with_current(lake, table, ranked(table, changes))
    rows = _with_purged(table, rows, all_changes, horizon) if horizon else rows
    # What a later record of its file outdates is not missing, whatever its content.
    missing = F.col("_current").isNull() | (comes_after_current(rows) & ~F.col("_is_followed"))
    stays = (F.col("_rank") == 1) & same_as_current("_sequence", *PROVENANCE)
    counts = (
        rows.withColumns({"_outcome": F.when(~missing, outcome(stays)), "_is_undecided": is_tied(rows)})
        .groupBy(*PROVENANCE)
        .agg(*outcome_counts())
    )
    return as_outcomes(counts.collect())


def _with_purged(
    table: SilverTable, rows: DataFrame, all_changes: Callable[[], DataFrame], horizon: datetime
) -> DataFrame:
    """`_current` is the purged tombstone where nothing is stored of a key and its last change is an expired delete.

    Merged, not counted in the ledger: that tells of a file's rows as of its own merge, before the delete came. And so
    a live row that somebody lost still leaves its changes without an outcome.
    """
    names, keys = list(table.merge_keys), keys_of(table)
    unknown = rows.where(F.col("_current").isNull() & may_be_outdated(rows, horizon)).select(*keys)
    if unknown.isEmpty():
        return rows
    last = ranked(table, all_changes().join(unknown, names, "left_semi")).where("_rank = 1")
    tombstone = F.struct(*STORED, F.lit(None).cast("string").alias("partition")).alias("_purged")
    purged = last.where(is_expired(last, horizon)).select(*keys, tombstone)
    joined = rows.join(purged, names, "left")
    return joined.withColumn("_current", F.coalesce("_current", "_purged")).drop("_purged")


def is_unique(lake: Lake, table: SilverTable) -> bool:
    """Whether no key of the whole table has two rows; of versions, whether no two of a key overlap."""
    if not lake.exists(table.key):
        return True
    rows = lake.read(table.key)
    if table.write.keeps_versions:
        along = Window.partitionBy(*keys_of(table)).orderBy("valid_from")
        until = F.lead("valid_from").over(along)
        rows = rows.select(until.alias("_next"), "valid_to")
        return rows.where("_next IS NOT NULL AND (valid_to IS NULL OR valid_to > _next)").isEmpty()
    return rows.groupBy(*keys_of(table)).agg(F.count("*").alias("_rows")).where("_rows > 1").isEmpty()
