"""A batch of a followed source in bronze: its name, its rows and its ledger entry, as a landed file has them.

Which rows a batch has is decided in `ingest_source.py` and `deleted_keys.py`.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timezone

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from medallion_assets.contracts.bronze import BronzeTable
from medallion_assets.contracts.column import INGESTION_DATE
from medallion_assets.contracts.column_identity import column_key
from medallion_assets.contracts.days import utc_today
from medallion_assets.contracts.technical_columns import (
    CORRUPT_RECORD,
    INGESTION_TIMESTAMP,
    SOURCE_FILE,
    SOURCE_MODIFIED_AT,
    SOURCE_ROW,
)
from medallion_assets.lakehouse.control.file_ledger import (
    LOADED,
    PENDING,
    LandedEntry,
    columns,
    entries,
    record,
)
from medallion_assets.lakehouse.control.landed_again import heal_landed_files
from medallion_assets.lakehouse.sources import changed_at
from medallion_assets.lakehouse.spark.expressions import quoted
from medallion_assets.lakehouse.storage import transaction_log
from medallion_assets.lakehouse.storage.lake import Lake
from medallion_assets.lakehouse.storage.predicates import files_predicate

_NUMBER = re.compile(r"(?:^|/)batch-(\d+)/")
"""Older lakes have names without the table."""


@dataclass(frozen=True)
class Batches:
    """What the ledger says of the batches of a followed source.

    table_name: of the followed table, which its batches bear: a silver table may have several inputs
    today: the day of a new batch; later than our clock says, if that was set back: batches come in their order
    complete: the names of all that bronze has whole
    days: today, and the days of batches that were interrupted: day -> name -> batch
    """

    table_name: str
    today: str
    complete: Collection[str]
    days: Mapping[str, Mapping[str, LandedEntry]]

    @property
    def interrupted(self) -> list[LandedEntry]:
        return [entry for files in self.days.values() for entry in files.values() if entry.status == PENDING]

    def next_name(self, label: str) -> str:
        """Names have a number, so that they sort by arrival."""
        numbers = (int(found[1]) for name in self.complete if (found := _NUMBER.search(name)))
        return f"{self.table_name}/batch-{max(numbers, default=0) + 1}/{label}"


def read_batches(lake: Lake, table: BronzeTable) -> Batches:
    """Read in this way, the ledger costs the same on its hundredth day as on its first, but for the names."""
    heal_landed_files(lake, table)
    known = columns(lake.root, LandedEntry, table.key, "day", "path", "status")
    today = max([utc_today(), *(day for day, _, _ in known)])
    open_days = {today, *(day for day, _, status in known if status == PENDING)}
    return Batches(
        table.name,
        today,
        complete=[name for _, name, status in known if status != PENDING],
        days=entries(lake.root, LandedEntry, table.key, open_days),
    )


def as_batch(table: BronzeTable, rows: DataFrame, name: str, today: str) -> DataFrame:
    """The rows as bronze stores them.

    Needs: the source's columns, as text. Adds: the technical columns of bronze; `_source_modified_at` is the time when
    the source says that the row was changed, by which the next run finds the rows within the overlap.
    """
    return rows.select(
        *map(quoted, sorted(rows.columns)),
        F.lit(None).cast("string").alias(CORRUPT_RECORD),
        F.lit(today).cast("date").alias(INGESTION_DATE),
        F.lit(name).alias(SOURCE_FILE),
        changed_at(table.write).alias(SOURCE_MODIFIED_AT),
        F.lit(None).cast("bigint").alias(SOURCE_ROW),
        F.current_timestamp().alias(INGESTION_TIMESTAMP),
    )


@contextmanager
def bounded(rows: DataFrame, at_most: int | None = None) -> Iterator[tuple[DataFrame, int]]:
    """The rows, and how many they are at most: counted, and kept in memory meanwhile, where nobody has said so."""
    if at_most is not None:
        yield rows, at_most
        return
    rows = rows.persist()
    try:
        yield rows, rows.count()
    finally:
        rows.unpersist()


def batch_entry(table: BronzeTable, path: str, today: str, rows: int, columns: list[str]) -> LandedEntry:
    """The ledger entry of a batch that is loaded; its size is its number of rows."""
    now = datetime.now(timezone.utc).isoformat(timespec="milliseconds")
    return LandedEntry(table.key, today, path, rows, now, LOADED, rows, 0, sorted(columns))


def spelled_as_stored(lake: Lake, table: BronzeTable, rows: DataFrame) -> DataFrame:
    """The rows with each column once, and spelled as in bronze if it is there.

    Some names are one column for Delta and two for Spark, or the other way round: values of one of them would be lost.
    """
    spelled = {column_key(name): name for name in transaction_log.column_names(lake.root, table.key)}
    landed: dict[str, list[str]] = {}
    for name in rows.columns:
        landed.setdefault(spelled.setdefault(column_key(name), name), []).append(name)
    if list(landed) == rows.columns:
        return rows
    return rows.select(*[F.coalesce(*map(quoted, names)).alias(name) for name, names in landed.items()])


def write_batch(
    lake: Lake,
    table: BronzeTable,
    rows: DataFrame,
    entry: LandedEntry,
    batches: Batches,
    interrupted: list[LandedEntry],
) -> int:
    """Writes intent, bronze and ledger; the batch, of today, replaces those that were interrupted.

    A batch without rows leaves no ledger entry. Returns how many rows were written, which may be less than `entry` has.
    """
    days = {entry.day, *(old.day for old in interrupted)}
    gone = {(old.day, old.path) for old in interrupted}
    unchanged = [e for day in days for e in batches.days[day].values() if (e.day, e.path) not in gone]
    record(lake.root, LandedEntry, table.key, days, [*unchanged, replace(entry, status=PENDING)])
    rows = spelled_as_stored(lake, table, rows)
    before = transaction_log.version(lake.root, table.key)
    if interrupted:
        replaced: dict[str, set[str]] = {entry.day: {entry.path}}
        for day, path in gone:
            replaced.setdefault(day, set()).add(path)
        lake.replace(rows, table.key, files_predicate([], replaced), INGESTION_DATE, replaced)
    else:
        lake.append(rows, table.key, INGESTION_DATE)
    is_written = transaction_log.version(lake.root, table.key) != before  # not where there is no row
    written = transaction_log.commit_counts(lake.root, table.key)["numOutputRows"] if is_written else 0
    loaded = [replace(entry, size=written, rows=written)] if written else []
    record(lake.root, LandedEntry, table.key, days, [*unchanged, *loaded])
    return written
