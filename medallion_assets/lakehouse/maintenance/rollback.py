"""Rolls a table back to an older version: Delta's RESTORE, after the ledgers were reverted to that version.

The ledgers are reverted first, so that a crash in between repeats work and loses nothing. Sources and inputs stay as
they are: the next runs of the returned days bring the table up to date with them.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime

from delta.tables import DeltaTable as SparkTable

from medallion_assets.contracts.bronze import BronzeTable
from medallion_assets.contracts.column import INGESTION_DATE
from medallion_assets.contracts.days import utc_today
from medallion_assets.contracts.gold import GoldTable
from medallion_assets.contracts.silver import SilverTable
from medallion_assets.contracts.table import Table
from medallion_assets.contracts.technical_columns import PROVENANCE, SOURCE_FILE
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
from medallion_assets.lakehouse.maintenance.time_travel import RollbackError, check_version, commit_times
from medallion_assets.lakehouse.silver.ledgers import in_progress, started_entry
from medallion_assets.lakehouse.spark.errors import SPARK_ERRORS
from medallion_assets.lakehouse.storage import transaction_log
from medallion_assets.lakehouse.storage.lake import Lake
from medallion_assets.lakehouse.storage.locks import one_writer

StoredFiles = dict[str, dict[str, int]]
"""Ingestion day -> file -> number of rows, in a version of a table."""


@dataclass(frozen=True)
class Rollback:
    """What was done.

    days: the days to run again
    taken_back: how many rows of control tables were changed or removed
    """

    from_version: int
    to_version: int
    days: list[str]
    taken_back: int


def rollback(lake: Lake, table: Table, version: int) -> Rollback:
    """Restores the table in one commit; in none if the version is the current one. RollbackError if it cannot."""
    with one_writer(lake.root, table.key):
        times = commit_times(lake.root, table.key)
        now = max(times)
        check_version(table.key, version, times)
        if version == now:
            return Rollback(now, version, [], 0)
        try:
            days, taken_back = _LAYERS[table.layer](lake, table, version, times[version + 1])
            with lake.marked(table.key):
                SparkTable.forPath(lake.spark, lake.path(table.key)).restoreToVersion(version)
        except SPARK_ERRORS as error:
            if not any(condition in str(error) for condition in _FILES_REMOVED):
                raise
            raise RollbackError(
                f"{table.key}: version {version} cannot be restored, since files of it were removed (vacuumed). "
                "Choose a newer version"
            ) from error
        return Rollback(now, version, sorted(days), taken_back)


def _silver(lake: Lake, table: SilverTable, version: int, since: datetime) -> tuple[Collection[str], int]:
    """Marks as in progress the days that were merged since, and the stored files that the ledger does not have.

    Their next run computes these days again.
    """
    stored = _stored_files(lake, table, version)
    previous_entries = entries(lake.root, FoldedEntry, table.key)
    recorded = days_since(lake.root, FoldedEntry, table.key, since)
    marked: list[FoldedEntry] = []
    for day in previous_entries.keys() | stored.keys():
        files = previous_entries.get(day, {})
        lost = [path for path in stored.get(day, {}) if path not in files]
        if day in recorded or lost or any(entry.fingerprint == IN_PROGRESS for entry in files.values()):
            marked += in_progress(files).values()
            marked += [started_entry(table, _unknown_file(table.inputs[0], day, path)) for path in lost]
    days = {entry.day for entry in marked}
    record(lake.root, FoldedEntry, table.key, days, marked)
    return days, len(marked) + watermarks.revert_since(lake.root, table.key, since)


def _bronze(lake: Lake, table: BronzeTable, version: int, since: datetime) -> tuple[Collection[str], int]:
    """Marks as pending the files of days that were ingested since, so that they are read again.

    Batches of a followed source cannot be read again: their entries become what the version has of them.
    """
    stored, columns = _stored_files(lake, table, version), lake.read(table.key, version).columns
    # Watermarks first: a source that is read twice doubles no row, but changes that are not read again would be lost.
    removed = watermarks.revert_since(lake.root, table.key, since)
    previous_entries = entries(lake.root, LandedEntry, table.key)
    recorded = days_since(lake.root, LandedEntry, table.key, since)
    marked: list[LandedEntry] = []
    for day in previous_entries.keys() | stored.keys():
        files, counts = previous_entries.get(day, {}), stored.get(day, {})
        pending = any(entry.status == PENDING for entry in files.values())
        if not (day in recorded or pending or counts.keys() - files.keys()):
            continue
        for path in files.keys() | counts.keys():
            entry = files.get(path) or _unknown_file(table, day, path, columns)
            if path in counts and not table.write.lands_files:
                marked.append(batch_entry(table, path, day, counts[path], entry.columns))
            else:
                marked.append(replace(entry, status=PENDING))
    days = {entry.day for entry in marked}
    record(lake.root, LandedEntry, table.key, days, marked)
    if days and not table.write.lands_files:
        days.add(utc_today())  # the batch that is pulled again belongs to today
    return days, len(marked) + removed


def _gold(lake: Lake, table: GoldTable, version: int, since: datetime) -> tuple[Collection[str], int]:
    """Reverts the recorded input versions: the next run computes the days that the inputs affected since.

    An extract records none.
    """
    days = transaction_log.affected_partitions(lake.root, table.key, version) or set()
    if table.write.replaces_whole:
        days = {utc_today()}  # a run of any day computes the table
    reverted = 0 if table.write.is_extract else gold_refreshes.revert_since(lake.root, table, since)
    return {day for day in days if day is not None}, reverted


def _stored_files(lake: Lake, table: Table, version: int) -> StoredFiles:
    stored: StoredFiles = {}
    for row in lake.read(table.key, version).groupBy(*PROVENANCE).count().collect():
        stored.setdefault(str(row[INGESTION_DATE]), {})[row[SOURCE_FILE]] = row["count"]
    return stored


def _unknown_file(bronze: Table, day: str, path: str, columns: Collection[str] = ()) -> LandedEntry:
    """The entry of a file of which only the rows are known. Its size and time match no landed file."""
    names = [name for name in columns if not name.startswith("_")]
    return LandedEntry(bronze.key, day, path, 0, "", PENDING, 0, 0, names)


_LAYERS = {"bronze": _bronze, "silver": _silver, "gold": _gold}
_FILES_REMOVED = ("FileNotFoundException", "FILE_NOT_EXIST", "FILE_NOT_FOUND", "missing from the file system")
