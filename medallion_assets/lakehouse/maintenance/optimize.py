"""Upkeep of the lake: files of fragmented partitions are compacted, those that no reader needs any more are removed.

No row changes, but for tombstones and quarantined rows that the contract keeps no longer. Where the log and a listing
tell that there is nothing to do, nothing starts and nothing is committed.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from datetime import datetime, timezone
from functools import partial

from delta.tables import DeltaTable as SparkTable
from deltalake import DeltaTable

from medallion_assets.contracts.gold import GoldTable
from medallion_assets.contracts.silver import SilverTable
from medallion_assets.contracts.table import Table
from medallion_assets.lakehouse.control import (
    file_ledger,
    gold_refreshes,
    purge_horizons,
    run_log,
    watermarks,
)
from medallion_assets.lakehouse.maintenance.results import MaintenanceResult
from medallion_assets.lakehouse.maintenance.vacuum import _sizes, _vacuumed
from medallion_assets.lakehouse.silver.purge import purge_expired
from medallion_assets.lakehouse.silver.quarantine import quarantine_key
from medallion_assets.lakehouse.storage import transaction_log
from medallion_assets.lakehouse.storage.lake import Lake
from medallion_assets.lakehouse.storage.locks import one_writer
from medallion_assets.lakehouse.storage.predicates import literal

CONTROL = (
    file_ledger.LANDED_FILES.key,
    file_ledger.FOLDED_FILES.key,
    purge_horizons.EXPIRIES.key,
    gold_refreshes.REFRESHES.key,
    watermarks.WATERMARKS.key,
    *(log.key for log in run_log.RUN_LOG),
)

FRAGMENTS = 8
"""Small files of a partition from which on it is rewritten: fewer cost a reader less than a daily rewrite would."""
SMALL = 32 * 2**20
"""Bytes. A quarter of what Spark reads in one task: opening a smaller file is what the task spends its time on."""


def maintain(lake: Lake, tables: Iterable[Table]) -> list[MaintenanceResult]:
    """All tables that are there, with their quarantines and the control tables. One that fails keeps no other back."""
    expired = [
        _expired(lake, table)
        for table in tables
        if isinstance(table, SilverTable) and table.purge_after is not None
    ]
    works: dict[str, Callable[[Lake, str], MaintenanceResult]] = {}
    for table in tables:
        works[table.key] = partial(_by_spark, sort_by=table.sort_by if isinstance(table, GoldTable) else ())
        if table.layer == "silver":
            works[quarantine_key(table.name)] = _by_spark
    works |= dict.fromkeys(CONTROL, _by_delta_rs)
    kept = [_kept(lake, key, work) for key, work in works.items() if lake.exists(key)]
    return [*(one for one in expired if one), *kept]


def _expired(lake: Lake, table: SilverTable) -> MaintenanceResult:
    try:
        done = purge_expired(lake, table, datetime.now(timezone.utc))
    except Exception as error:
        return _failed(table.key, error)
    return MaintenanceResult(table.key, expired=done.tombstones + done.quarantined)


def _kept(lake: Lake, key: str, work: Callable[[Lake, str], MaintenanceResult]) -> MaintenanceResult:
    try:
        with one_writer(lake.root, key):
            return work(lake, key)
    except Exception as error:
        return _failed(key, error)


def _failed(key: str, error: Exception) -> MaintenanceResult:
    """An error of whatever type is told at the end, after the other tables."""
    reason = (str(error).strip().splitlines() or [""])[0]
    return MaintenanceResult(key, error=f"{type(error).__name__}: {reason}")


def _by_spark(lake: Lake, key: str, sort_by: Collection[str] = ()) -> MaintenanceResult:
    before = DeltaTable(lake.path(key))
    if not (where := fragmented(before)):
        return _vacuumed(lake, key, MaintenanceResult(key))
    optimizer = SparkTable.forPath(lake.spark, lake.path(key)).optimize().where(where)
    if sort_by:  # else compaction would undo the order that gold wrote, by which statistics skip files
        optimizer.executeZOrderBy(*sort_by)
    else:
        optimizer.executeCompaction()
    return _vacuumed(lake, key, _compacted(key, before, DeltaTable(lake.path(key))))


def fragmented(table: DeltaTable) -> str:
    """The predicate of the partitions with many small files; empty where there are none."""
    small: dict[str | None, int] = {}
    for value, size in transaction_log.active_files(table).values():
        small[value] = small.get(value, 0) + (size < SMALL)
    values = [value for value, files in small.items() if files >= FRAGMENTS]
    columns = table.metadata().partition_columns
    if not values or not columns:
        return "true" if values else ""
    column = f"`{columns[0]}`"
    listed = ", ".join(literal(value) for value in values if value is not None)
    parts = [f"CAST({column} AS STRING) IN ({listed})"] if listed else []
    return " OR ".join(parts + ([f"{column} IS NULL"] if None in values else []))


def _compacted(key: str, before: DeltaTable, after: DeltaTable) -> MaintenanceResult:
    old, new = transaction_log.active_files(before), transaction_log.active_files(after)
    gone, made = old.keys() - new.keys(), new.keys() - old.keys()
    sizes = sum(old[file][1] for file in gone), sum(new[file][1] for file in made)
    return MaintenanceResult(key, 0, len(gone), len(made), *sizes)


def _by_delta_rs(lake: Lake, key: str) -> MaintenanceResult:
    """Control tables. The checkpoint spares their readers, the sensors above all, the commits since the last one."""
    path, saved = lake.path(key), MaintenanceResult(key)
    before = DeltaTable(path)
    if fragmented(before):
        DeltaTable(path).optimize.compact()
        saved = _compacted(key, before, DeltaTable(path))
    table = DeltaTable(path)
    table.create_checkpoint()
    sizes = _sizes(path, table.vacuum(full=True))
    if sizes:
        table.vacuum(full=True, dry_run=False)
    return replace(saved, removed=len(sizes), bytes_removed=sum(sizes.values()))
