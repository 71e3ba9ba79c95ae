"""A table as it was at an older version: Delta's RESTORE, and what the ledgers say since taken back.

The ledgers are taken back first, to what the older version holds, so that a crash in between repeats work and loses
nothing. Sources and inputs stay as they are: the next runs of the days told bring the table up to date with them.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timezone

from delta.tables import DeltaTable as SparkTable

from medallion_assets.contracts.bronze import BronzeTable
from medallion_assets.contracts.gold import GoldTable
from medallion_assets.contracts.silver import SilverTable
from medallion_assets.contracts.table import Table
from medallion_assets.contracts.technical_columns import PROVENANCE
from medallion_assets.lakehouse.bronze.batches import batch_entry
from medallion_assets.lakehouse.control import gold_refreshes, watermarks
from medallion_assets.lakehouse.control.file_ledger import (
    IN_PROGRESS,
    PENDING,
    FoldedEntry,
    LandedEntry,
    days_since,
    entries,
    record,
)
from medallion_assets.lakehouse.maintenance.time_travel import RollbackError, commit_times
from medallion_assets.lakehouse.silver.ledgers import started_entry
from medallion_assets.lakehouse.spark.errors import SPARK_ERRORS
from medallion_assets.lakehouse.storage import transaction_log
from medallion_assets.lakehouse.storage.lake import Lake
from medallion_assets.lakehouse.storage.locks import one_writer

Held = dict[str, dict[str, int]]
"""Ingestion day -> file -> rows, of a version of a table."""


@dataclass(frozen=True)
class Rollback:
    """What was done: `days` are to be restated, `taken_back` is how many rows of ledgers were changed or removed."""

    from_version: int
    to_version: int
    days: list[str]
    taken_back: int


def rollback(lake: Lake, table: Table, version: int) -> Rollback:
    """Restores the table in one commit, or in none where the version is the current one. RollbackError if it cannot."""
    with one_writer(lake.root, table.key):
        times = commit_times(lake.root, table.key)
        now = max(times)
        if version not in times:
            raise RollbackError(f"{table.key} has no version {version}: there are {min(times)} to {now}")
        if version == now:
            return Rollback(now, version, [], 0)
        try:
            days, taken_back = _LAYERS[table.layer](lake, table, version, times[version + 1])
            SparkTable.forPath(lake.spark, lake.path(table.key)).restoreToVersion(version)
        except SPARK_ERRORS as error:
            if not any(sign in str(error) for sign in _FILES_GONE):
                raise
            raise RollbackError(
                f"{table.key}: version {version} cannot be restored, since files of it were removed (vacuumed). "
                "Which is the oldest that can be is not known: choose a newer one"
            ) from error
        return Rollback(now, version, sorted(days), taken_back)


def _silver(lake: Lake, table: SilverTable, version: int, since: datetime) -> tuple[Collection[str], int]:
    """Days that were folded since, and files held that no ledger knows, are under way: their next run restates them."""
    held = _held(lake, table, version)
    known = entries(lake.root, FoldedEntry, table.key)
    recorded = days_since(lake.root, FoldedEntry, table.key, since)
    marked: list[FoldedEntry] = []
    for day in known.keys() | held.keys():
        files = known.get(day, {})
        lost = [path for path in held.get(day, {}) if path not in files]
        if day in recorded or lost or any(entry.fingerprint == IN_PROGRESS for entry in files.values()):
            marked += [replace(entry, fingerprint=IN_PROGRESS) for entry in files.values()]
            marked += [started_entry(table, _unknown(table.inputs[0], day, path)) for path in lost]
    days = {entry.day for entry in marked}
    record(lake.root, FoldedEntry, table.key, days, marked)
    return days, len(marked) + watermarks.revert_since(lake.root, table.key, since)


def _bronze(lake: Lake, table: BronzeTable, version: int, since: datetime) -> tuple[Collection[str], int]:
    """Of days that were taken since, files are to be read again; batches, which cannot be, are what is held of them."""
    held, columns = _held(lake, table, version), lake.read(table.key, version).columns
    # Before the batches: of what is read twice nothing is doubled, of what is not read again all would be lost.
    removed = watermarks.revert_since(lake.root, table.key, since)
    known = entries(lake.root, LandedEntry, table.key)
    recorded = days_since(lake.root, LandedEntry, table.key, since)
    marked: list[LandedEntry] = []
    for day in known.keys() | held.keys():
        files, counts = known.get(day, {}), held.get(day, {})
        pending = any(entry.status == PENDING for entry in files.values())
        if not (day in recorded or pending or counts.keys() - files.keys()):
            continue
        for path in files.keys() | counts.keys():
            entry = files.get(path) or _unknown(table, day, path, columns)
            if path in counts and not table.write.lands_files:
                marked.append(batch_entry(table, path, day, counts[path], entry.columns))
            else:
                marked.append(replace(entry, status=PENDING))
    days = {entry.day for entry in marked}
    record(lake.root, LandedEntry, table.key, days, marked)
    if days and not table.write.lands_files:
        days.add(_today())  # what is pulled again comes today
    return days, len(marked) + removed


def _gold(lake: Lake, table: GoldTable, version: int, since: datetime) -> tuple[Collection[str], int]:
    """The inputs' versions of then: the next run computes what they touched since. An extract has no ledger."""
    touched = transaction_log.touched_days(lake.root, table.key, version) or set()
    if table.write.replaces_whole:
        touched = {_today()}  # the run of any day computes it
    taken = 0 if table.write.is_extract else gold_refreshes.revert_since(lake.root, table, since)
    return {day for day in touched if day is not None}, taken


def _held(lake: Lake, table: Table, version: int) -> Held:
    held: Held = {}
    for row in lake.read(table.key, version).groupBy(*PROVENANCE).count().collect():
        held.setdefault(str(row["_ingestion_date"]), {})[row["_source_file"]] = row["count"]
    return held


def _today() -> str:
    return f"{datetime.now(timezone.utc):%Y-%m-%d}"


def _unknown(bronze: Table, day: str, path: str, columns: Collection[str] = ()) -> LandedEntry:
    """A file of which no more is known than that rows of it are there: no listing shows one like it."""
    names = [name for name in columns if not name.startswith("_")]
    return LandedEntry(bronze.key, day, path, 0, "", PENDING, 0, 0, names)


_LAYERS = {"bronze": _bronze, "silver": _silver, "gold": _gold}
_FILES_GONE = ("FileNotFoundException", "FILE_NOT_EXIST", "FILE_NOT_FOUND", "missing from the file system")
