"""A batch of a followed source in bronze: its name, its rows and its place in the ledger, as a landed file has them."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime, timezone

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from medallion_assets.contracts.bronze import BronzeTable, FollowTable
from medallion_assets.lakehouse.control.file_ledger import LOADED, PENDING, LandedEntry, entries, record
from medallion_assets.lakehouse.spark.expressions import quoted
from medallion_assets.lakehouse.storage.lake import Lake
from medallion_assets.lakehouse.storage.predicates import files_predicate

Ledger = Mapping[str, Mapping[str, LandedEntry]]
"""Day -> name -> batch."""


def read_ledger(lake: Lake, table: BronzeTable) -> Ledger:
    """What bronze took; read from its rows again where the ledger was lost."""
    taken = entries(lake.root, LandedEntry, table.key)
    if not taken and lake.exists(table.key):
        bronze = lake.read(table.key)
        columns = [name for name in bronze.columns if not name.startswith("_")]
        counts = bronze.groupBy("_ingestion_date", "_source_file").count().collect()
        found = [batch_entry(table, row[1], str(row[0]), row[2], columns) for row in counts]
        record(lake.root, LandedEntry, table.key, {entry.day for entry in found}, found)
        taken = entries(lake.root, LandedEntry, table.key)
    return taken


def last_number(batches: Collection[LandedEntry]) -> int:
    """Of the last batch. Names begin with it, so that their order is that of arrival."""
    return max((int(entry.path.split("/")[0].removeprefix("batch-")) for entry in batches), default=0)


def stamped(table: BronzeTable, rows: DataFrame, path: str, today: str) -> DataFrame:
    """A row of a database says itself when it was changed; the next run finds what bronze holds by that."""
    changed = F.current_timestamp()
    if isinstance(table.write, FollowTable):
        changed = quoted(table.write.watermark).try_cast("timestamp")
    return rows.select(
        *map(quoted, sorted(rows.columns)),
        F.lit(None).cast("string").alias("_corrupt_record"),
        F.lit(today).cast("date").alias("_ingestion_date"),
        F.lit(path).alias("_source_file"),
        changed.alias("_source_modified_at"),
        F.current_timestamp().alias("_ingestion_timestamp"),
    )


def batch_entry(table: BronzeTable, path: str, today: str, rows: int, columns: list[str]) -> LandedEntry:
    now = datetime.now(timezone.utc).isoformat(timespec="milliseconds")
    return LandedEntry(table.key, today, path, rows, now, LOADED, rows, 0, sorted(columns))


def write_batch(
    lake: Lake,
    table: BronzeTable,
    rows: DataFrame,
    entry: LandedEntry,
    taken: Ledger,
    interrupted: list[LandedEntry],
) -> None:
    """The batch in place of those that were interrupted; a batch without rows leaves no entry."""
    days = {entry.day, *(old.day for old in interrupted)}
    gone = {(old.day, old.path) for old in interrupted}
    kept = [old for day in days for old in taken.get(day, {}).values() if (old.day, old.path) not in gone]
    final = [*kept, entry] if entry.rows else kept
    record(lake.root, LandedEntry, table.key, days, [*kept, replace(entry, status=PENDING)])
    if interrupted:
        replaced: dict[str, set[str]] = {entry.day: {entry.path}}
        for day, path in gone:
            replaced.setdefault(day, set()).add(path)
        lake.replace(rows, table.key, files_predicate([], replaced), "_ingestion_date")
    else:
        lake.append(rows, table.key, "_ingestion_date")
    record(lake.root, LandedEntry, table.key, days, final)
