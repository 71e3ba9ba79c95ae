"""A step of bronze over one or many ingestion days: each day converges to its landed folder, file by file.

The order of the commits is intent, bronze, ledger: a crash in between leaves files marked as pending, which the next
run reads again and replaces.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from medallion_assets.contracts.bronze import BronzeTable
from medallion_assets.contracts.file_identity import Identity
from medallion_assets.lakehouse.bronze import ingest_source
from medallion_assets.lakehouse.bronze.plan import DayChange, day_change
from medallion_assets.lakehouse.control.file_ledger import (
    LOADED,
    PENDING,
    UNREADABLE,
    LandedEntry,
    entries,
    record,
)
from medallion_assets.lakehouse.landing.listing import LandedFile, list_files
from medallion_assets.lakehouse.landing.reader import FileReport, read_files
from medallion_assets.lakehouse.storage import transaction_log
from medallion_assets.lakehouse.storage.lake import Lake
from medallion_assets.lakehouse.storage.locks import one_writer
from medallion_assets.lakehouse.storage.predicates import files_predicate

_NO_CHANGE = DayChange(frozenset(), frozenset(), whole=False)


@dataclass(frozen=True)
class BronzeDayMetrics:
    """What bronze holds of one day, file by file; no files at all is NO_DATA."""

    day: str
    files: Mapping[str, LandedEntry] = field(default_factory=dict)

    @property
    def has_data(self) -> bool:
        return bool(self.files)

    @property
    def rows(self) -> int:
        return sum(entry.rows for entry in self.files.values())

    @property
    def corrupt(self) -> int:
        return sum(entry.corrupt for entry in self.files.values())

    @property
    def complaints(self) -> dict[str, str]:
        """Path -> what is wrong with the file and how to mend it."""
        return {path: entry.message for path, entry in self.files.items() if entry.message}

    def drift(self, table: BronzeTable) -> tuple[list[str], list[str]]:
        """Columns that are new to the contract, and columns of the contract that no file of the day has."""
        landed = {column.lower(): column for entry in self.files.values() for column in entry.columns}
        declared = {column.name.lower() for column in table.columns}
        required = {column.name for column in table.columns if not column.optional}
        new = [column for lower, column in landed.items() if lower not in declared]
        missing = [column for column in required if column.lower() not in landed]
        return sorted(new), sorted(missing) if self.rows else []


def audit_days(lake: Lake, table: BronzeTable, days: Collection[str]) -> dict[str, BronzeDayMetrics]:
    """What the ledger says of these days."""
    return {
        day: BronzeDayMetrics(day, files)
        for day, files in entries(lake.root, LandedEntry, table.key, days).items()
    }


def ingest_days(lake: Lake, table: BronzeTable, days: Collection[str]) -> dict[str, BronzeDayMetrics]:
    """Takes what is new, changed or gone in the folders of `days`, or what is new at the source that it follows.

    LandingError where the landing root or the source's folder is missing (nothing is emptied then); SourceError where
    a followed source cannot be read.
    """
    if not table.write.lands_files:
        ingest_source.follow(lake, table, days)
        return audit_days(lake, table, days)
    with one_writer(lake.root, table.key):  # listed within it: an older listing would undo a newer run
        listed: dict[str, dict[str, LandedFile]] = {day: {} for day in days}
        for file in list_files(lake.landing, table.landing_folder, days):
            listed[file.day][file.path] = file
        return _converge(lake, table, listed)


def _converge(
    lake: Lake, table: BronzeTable, listed: Mapping[str, Mapping[str, LandedFile]]
) -> dict[str, BronzeDayMetrics]:
    taken = entries(lake.root, LandedEntry, table.key, listed)
    held = transaction_log.partition_bytes(lake.root, table.key)
    changes = {
        day: day_change(_identities(files), _settled(taken[day]), day in held)
        for day, files in listed.items()
    }
    changes = {day: change for day, change in changes.items() if change != _NO_CHANGE}
    if changes:
        files = [listed[day][path] for day, change in changes.items() for path in sorted(change.read)]
        rows, reports = read_files(lake.spark, lake.landing, files)
        after: dict[str, dict[str, LandedEntry]] = {
            day: {path: entry for path, entry in taken[day].items() if path in listed[day]} for day in changes
        }
        for report in reports:
            day = report.file.day
            after[day][report.file.path] = _entry(table, report, taken[day].get(report.file.path))
        _write(lake, table, rows, changes, taken, after)
        taken |= after
    return {day: BronzeDayMetrics(day, taken[day]) for day in listed}


def _write(
    lake: Lake,
    table: BronzeTable,
    rows: DataFrame | None,
    changes: Mapping[str, DayChange],
    taken: Mapping[str, Mapping[str, LandedEntry]],
    after: Mapping[str, Mapping[str, LandedEntry]],
) -> None:
    """The rows of the files read now, in place of what bronze held of them and of files that are gone."""
    kept = {
        path
        for entries in after.values()
        for path, entry in entries.items()
        if entry.status == LOADED and entry.message
    }
    final = [entry for entries in after.values() for entry in entries.values()]
    removes = any(change.whole or change.replaced - kept for change in changes.values())
    if rows is not None or removes:
        read = {path for change in changes.values() for path in change.read}
        intent = [replace(entry, status=PENDING) if entry.path in read - kept else entry for entry in final]
        record(lake.root, LandedEntry, table.key, changes, intent)
        stamped = (
            lake.read(table.key).limit(0)
            if rows is None
            else rows.withColumn("_ingestion_timestamp", F.now())
        )
        if removes:
            whole = [day for day, change in changes.items() if change.whole or not taken[day]]
            single = {
                day: (change.read | change.replaced) - kept
                for day, change in changes.items()
                if day not in whole
            }
            lake.replace(stamped, table.key, files_predicate(whole, single), "_ingestion_date")
        else:
            lake.append(stamped, table.key, "_ingestion_date")
        if rows is not None:
            rows.unpersist()
    record(lake.root, LandedEntry, table.key, changes, final)


def _identities(files: Mapping[str, LandedFile]) -> dict[str, Identity]:
    return {path: (file.size, file.modified_at.isoformat()) for path, file in files.items()}


def _settled(taken: Mapping[str, LandedEntry]) -> dict[str, Identity]:
    """Identities of the files taken; one that was interrupted or unreadable is read again at every run."""
    again: Identity = (-1, "")
    return {
        path: again if entry.status in (PENDING, UNREADABLE) else entry.identity
        for path, entry in taken.items()
    }


def _entry(table: BronzeTable, report: FileReport, before: LandedEntry | None) -> LandedEntry:
    if report.status == UNREADABLE and before and before.status == LOADED:
        return replace(before, message=f"bronze keeps the earlier rows of this file: {report.message}")
    file = report.file
    return LandedEntry(
        table_name=table.key,
        day=file.day,
        path=file.path,
        size=file.size,
        modified_at=file.modified_at.isoformat(),
        status=report.status,
        rows=report.rows,
        corrupt=report.corrupt,
        columns=list(report.columns),
        message=report.message,
    )
