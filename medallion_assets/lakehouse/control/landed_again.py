"""Bronze's ledger written again from bronze's rows, where it is no more to be trusted. Reads all of bronze, once."""

import logging
from collections.abc import Mapping
from dataclasses import replace

from medallion_assets.contracts.bronze import BronzeTable
from medallion_assets.contracts.technical_columns import PROVENANCE
from medallion_assets.lakehouse.control.file_ledger import (
    FOLDED_FILES,
    LANDED_FILES,
    LOADED,
    PENDING,
    LandedEntry,
    entries,
    record,
)
from medallion_assets.lakehouse.control.memory import what_is_wrong
from medallion_assets.lakehouse.control.small_table import having
from medallion_assets.lakehouse.storage.lake import Lake

At = tuple[str, str]
"""Day and path."""

_log = logging.getLogger(__name__)


def heal_landed_files(lake: Lake, table: BronzeTable) -> None:
    """Makes the ledger agree with bronze's rows, where somebody else wrote to either. Within the table's lock."""
    if wrong := what_is_wrong(lake.root, LANDED_FILES, table.key):
        _log.warning(f"{wrong}: {LANDED_FILES.key} is written again from the rows of {table.key}.")
        write_landed_files(lake, table)


def write_landed_files(lake: Lake, table: BronzeTable) -> None:
    """The ledger as bronze's rows tell it.

    A file with other rows than the ledger says is read again by its day's next run. Of a lost entry the rows tell how
    many there are; what they do not tell, size and time of the file, is taken from silver's ledger if that knows it.
    """
    days = entries(lake.root, LandedEntry, table.key)
    known = {(day, path): entry for day, files in days.items() for path, entry in files.items()}
    counts, columns = _rows_by_file(lake, table)
    lost = {at: rows for at, rows in counts.items() if at not in known}
    healed = [_agreeing(table, entry, counts.get(at, 0)) for at, entry in known.items()]
    healed += _unknown_files(lake, table, lost, columns) if lost else []
    kept = [entry for entry in healed if entry is not None]
    changed = days.keys() | {day for day, _ in lost}
    # A commit in any case, since it bears our mark.
    record(lake.root, LandedEntry, table.key, changed or {""}, kept)


def _agreeing(table: BronzeTable, entry: LandedEntry, rows: int) -> LandedEntry | None:
    """A batch of a followed source cannot be read again: what is left of it counts."""
    if entry.rows == rows or entry.status != LOADED:
        return entry
    if table.write.lands_files:
        return replace(entry, status=PENDING)
    return replace(entry, size=rows, rows=rows) if rows else None


def _rows_by_file(lake: Lake, table: BronzeTable) -> tuple[dict[At, int], list[str]]:
    if not lake.exists(table.key):
        return {}, []
    bronze = lake.read(table.key)
    counted = bronze.groupBy(*PROVENANCE).count().collect()
    columns = sorted(name for name in bronze.columns if not name.startswith("_"))
    return {(str(row["_ingestion_date"]), row["_source_file"]): row["count"] for row in counted}, columns


def _unknown_files(
    lake: Lake, table: BronzeTable, lost: Mapping[At, int], columns: list[str]
) -> list[LandedEntry]:
    days = {day for day, _ in lost}
    merged = {(entry.day, entry.path): entry for entry in FOLDED_FILES.read(lake.root, having(day=days))}
    found: list[LandedEntry] = []
    for (day, path), rows in lost.items():
        entry = merged.get((day, path))
        size, at = entry.identity if entry and entry.rows == rows else (0, "")
        found.append(LandedEntry(table.key, day, path, size, at, LOADED, rows, 0, columns))
    return found
