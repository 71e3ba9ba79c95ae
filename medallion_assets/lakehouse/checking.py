"""Silver as it is now: the stale days, and the figures of days counted in what is stored. Writes nothing."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from medallion_assets.contracts.table import ReplaceDay, Table
from medallion_assets.lakehouse.control import FoldedEntry, LandedEntry, entries
from medallion_assets.lakehouse.fates import fates_now, is_unique
from medallion_assets.lakehouse.figures import FoldedDay, counted, judged_rows, unchanged_files, with_rows
from medallion_assets.lakehouse.horizons import last_horizon
from medallion_assets.lakehouse.judging import PROVENANCE
from medallion_assets.lakehouse.storage import Lake, days_predicate


def stale_days(lake: Lake, table: Table) -> list[str]:
    """Days that were folded under an older contract, oldest first."""
    days = entries(lake.root, FoldedEntry, table.key)
    return sorted(
        d for d, files in days.items() if any(e.fingerprint != table.fingerprint for e in files.values())
    )


def check_days(lake: Lake, table: Table, days: Collection[str]) -> dict[str, FoldedDay]:
    """The figures of `days` as of now, counted in the rows of bronze, silver and quarantine; writes nothing."""
    landed = entries(lake.root, LandedEntry, table.inputs[0].key, days)
    files = {day: with_rows(listed) for day, listed in landed.items()}
    if not any(files.values()):
        return {day: FoldedDay(day, landed=landed[day]) for day in days}
    judged = judged_rows(lake, table, files).persist()
    found, _ = counted(table, judged, landed)
    horizon = last_horizon(lake.root, table.key)
    quarantined = _quarantined(lake, table, days, horizon)
    if isinstance(table.write, ReplaceDay):
        fates = {source: {"current": rows} for source, rows in _rows_by_file(lake, table.key, days).items()}
        unique = True
    else:
        valid = judged.where(~F.col("_quarantined"))
        fates = fates_now(lake, table, valid, lambda: _folded(lake, table), horizon)
        unique = is_unique(lake, table)
    judged.unpersist()
    for (day, path), entry in [((d, p), e) for d, listed in found.items() for p, e in listed.items()]:
        now = (
            {"current": 0}
            | dict(fates.get((day, path), {}))
            | {"quarantined": quarantined.get((day, path), 0)}
        )
        found[day][path] = replace(entry, **now)
    return {day: FoldedDay(day, found[day], landed[day], unique) for day in days}


def _folded(lake: Lake, table: Table) -> DataFrame:
    """All valid changes that count."""
    landed = entries(lake.root, LandedEntry, table.inputs[0].key)
    files = unchanged_files(entries(lake.root, FoldedEntry, table.key), landed)
    return judged_rows(lake, table, files).where(~F.col("_quarantined"))


def _quarantined(
    lake: Lake, table: Table, days: Collection[str], horizon: datetime | None
) -> dict[tuple[str, str], int]:
    """Rows in quarantine; of days from which they were purged, and that were not folded again, those of the ledger."""
    purged = [day for day in days if horizon and day < str(horizon.date())]
    known = entries(lake.root, FoldedEntry, table.key, purged)
    told = {(day, path): entry.quarantined for day, files in known.items() for path, entry in files.items()}
    return told | _rows_by_file(lake, f"quarantine/{table.name}", days)


def _rows_by_file(lake: Lake, key: str, days: Collection[str]) -> dict[tuple[str, str], int]:
    if not lake.exists(key):
        return {}
    rows = lake.read(key).where(days_predicate("_ingestion_date", days)).groupBy(*PROVENANCE).count()
    return {(str(row["_ingestion_date"]), row["_source_file"]): row["count"] for row in rows.collect()}
