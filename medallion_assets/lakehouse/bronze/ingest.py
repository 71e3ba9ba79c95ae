"""Ingests one or many days: each day of bronze comes to equal its landed folder, file by file.

The order of the commits is intent, bronze, ledger. A crash in between leaves files marked as pending; the next run
reads them again and replaces their rows. What a followed source has new is ingested by `ingest_source.py`.
"""

from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import replace

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from medallion_assets.contracts.bronze import BronzeTable
from medallion_assets.contracts.column import INGESTION_DATE
from medallion_assets.contracts.file_identity import Identity
from medallion_assets.contracts.technical_columns import INGESTION_TIMESTAMP, SOURCE_ROW
from medallion_assets.lakehouse.bronze.batches import spelled_as_stored
from medallion_assets.lakehouse.bronze.day_metrics import BronzeDayMetrics
from medallion_assets.lakehouse.bronze.ingest_source import ingest_source
from medallion_assets.lakehouse.bronze.plan import DayChange, day_change
from medallion_assets.lakehouse.control.file_ledger import (
    KEPT,
    PENDING,
    UNREADABLE,
    LandedEntry,
    entries,
    record,
)
from medallion_assets.lakehouse.control.landed_again import heal_landed_files
from medallion_assets.lakehouse.landing.area import LandedFile, LandingError
from medallion_assets.lakehouse.landing.formats.layout import text_size
from medallion_assets.lakehouse.landing.listing import foreign_entries, list_files
from medallion_assets.lakehouse.landing.reader import FileReport, place_in_file, read_files
from medallion_assets.lakehouse.spark.small_work import is_few, planned_for
from medallion_assets.lakehouse.storage import transaction_log
from medallion_assets.lakehouse.storage.lake import Lake
from medallion_assets.lakehouse.storage.locks import one_writer
from medallion_assets.lakehouse.storage.predicates import files_predicate

Ledger = Mapping[str, Mapping[str, LandedEntry]]
"""Day -> path -> file."""

_NO_CHANGE = DayChange(frozenset(), frozenset(), whole=False)


def audit_days(lake: Lake, table: BronzeTable, days: Collection[str]) -> dict[str, BronzeDayMetrics]:
    """What the ledger says of these days. Writes nothing."""
    ledger = entries(lake.root, LandedEntry, table.key, days)
    return _with_beside(lake, table, {day: BronzeDayMetrics(day, files) for day, files in ledger.items()})


def ingest_days(lake: Lake, table: BronzeTable, days: Collection[str]) -> dict[str, BronzeDayMetrics]:
    """Ingests what is new, changed or gone in the folders of `days`, or what is new at the followed source.

    LandingError where the landing root or the source's folder is missing; nothing is emptied then. SourceError where a
    followed source cannot be read.
    """
    if not table.write.lands_files:
        ingest_source(lake, table, days)
        return audit_days(lake, table, days)
    with one_writer(lake.root, table.key):  # listed within it: an older listing would undo a newer run
        heal_landed_files(lake, table)
        listed_files: dict[str, dict[str, LandedFile]] = {day: {} for day in days}
        for file in list_files(lake.landing, table.landing_folder, days):
            listed_files[file.day][file.path] = file
        return _ingest_files(lake, table, listed_files)


def _ingest_files(
    lake: Lake, table: BronzeTable, listed_files: Mapping[str, Mapping[str, LandedFile]]
) -> dict[str, BronzeDayMetrics]:
    ingested_files = entries(lake.root, LandedEntry, table.key, listed_files)
    partitions_in_bronze = transaction_log.partition_bytes(lake.root, table.key)
    settled = {day: _settled(files) for day, files in ingested_files.items()}
    listed = {day: _identities(files, settled[day]) for day, files in listed_files.items()}
    changes = {
        day: day_change(listed[day], settled[day], day in partitions_in_bronze) for day in listed_files
    }
    changes = {day: change for day, change in changes.items() if change != _NO_CHANGE}
    notes: dict[str, dict[str, str]] = {day: {} for day in listed_files}
    if changes:
        files = [listed_files[day][path] for day, change in changes.items() for path in sorted(change.read)]
        touched = sum(partitions_in_bronze.get(day, 0) for day in changes)
        few = is_few(len(files), size=touched + sum(text_size(file.path, file.size) for file in files))
        with planned_for(lake.spark, few):
            rows, reports = read_files(lake.spark, lake.landing, files, table.required_columns)
            after: dict[str, dict[str, LandedEntry]] = {
                day: {path: entry for path, entry in ingested_files[day].items() if path in listed[day]}
                for day in changes
            }
            for report in reports:
                day, path = report.file.day, report.file.path
                after[day][path] = _entry(table, report, ingested_files[day].get(path))
                if report.note:
                    notes[day][path] = report.note
            _write(lake, table, rows, changes, ingested_files, after)
            ingested_files |= after
    metrics = {day: BronzeDayMetrics(day, ingested_files[day], notes[day]) for day in listed_files}
    return _with_beside(lake, table, metrics)


def _with_beside(
    lake: Lake, table: BronzeTable, metrics: dict[str, BronzeDayMetrics]
) -> dict[str, BronzeDayMetrics]:
    """What lies beside the days is told with the last one."""
    if metrics and table.landing_folder:
        with suppress(LandingError):  # an audit of a lake whose landing is elsewhere
            beside = foreign_entries(lake.landing, table.landing_folder)
            metrics[max(metrics)] = replace(metrics[max(metrics)], beside=beside)
    return metrics


def _write(
    lake: Lake,
    table: BronzeTable,
    rows: DataFrame | None,
    changes: Mapping[str, DayChange],
    before: Ledger,
    after: Ledger,
) -> None:
    """The rows that were read now, in place of what bronze has of these files and of files that are gone."""
    entries_after = [entry for files in after.values() for entry in files.values()]
    unchanged = {entry.path for entry in entries_after if entry.status == KEPT}
    removes = any(change.whole or change.replaced - unchanged for change in changes.values())
    if rows is not None or removes:
        written = {path for change in changes.values() for path in change.read} - unchanged
        intent = [replace(e, status=PENDING) if e.path in written else e for e in entries_after]
        record(lake.root, LandedEntry, table.key, changes, intent)
        _commit(lake, table, rows, _replaced(changes, before, unchanged) if removes else "", changes)
    record(lake.root, LandedEntry, table.key, changes, entries_after)


def _replaced(changes: Mapping[str, DayChange], before: Ledger, unchanged: Collection[str]) -> str:
    """The predicate of the rows that go: whole days where the ledger knows no file, else single files."""
    whole_days = [day for day, change in changes.items() if change.whole or not before[day]]
    single_files = {
        day: (change.read | change.replaced) - set(unchanged)
        for day, change in changes.items()
        if day not in whole_days
    }
    return files_predicate(whole_days, {day: paths for day, paths in single_files.items() if paths})


def _commit(
    lake: Lake, table: BronzeTable, rows: DataFrame | None, replaced: str, days: Collection[str]
) -> None:
    """One commit of bronze. Adds: `_ingestion_timestamp`, `_source_row`. `replaced` is empty where no row goes."""
    if rows is None:
        new = lake.read(table.key).limit(0)
    else:
        added = {INGESTION_TIMESTAMP: F.now(), SOURCE_ROW: place_in_file()}
        new = spelled_as_stored(lake, table, rows.withColumns(added))
    if replaced:
        lake.replace(new, table.key, replaced, INGESTION_DATE, days)
    else:
        lake.append(new, table.key, INGESTION_DATE)
    if rows is not None:
        rows.unpersist()


def _identities(files: Mapping[str, LandedFile], settled: Mapping[str, Identity]) -> dict[str, Identity]:
    """Of the files that are there. Those in a folder that cannot be listed now are still what they were."""
    closed = tuple(f"{path}/" for path, file in files.items() if file.fault)
    hidden = {path: identity for path, identity in settled.items() if path.startswith(closed)}
    return hidden | {path: file.identity for path, file in files.items()}


def _settled(ingested_files: Mapping[str, LandedEntry]) -> dict[str, Identity]:
    """The identities of the ingested files. A file that is pending or cannot be read is read again by every run."""
    read_again: Identity = (-1, "")
    return {
        path: read_again if entry.status in (PENDING, UNREADABLE, KEPT) else entry.identity
        for path, entry in ingested_files.items()
    }


def _entry(table: BronzeTable, report: FileReport, before: LandedEntry | None) -> LandedEntry:
    if report.status == UNREADABLE and before and before.has_rows:
        message = f"bronze keeps the earlier rows of this file: {report.message}"
        return replace(before, status=KEPT, message=message)
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
