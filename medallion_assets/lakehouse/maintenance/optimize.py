"""Maintenance of all tables: fragmented partitions are compacted, and files that no reader needs are removed.

No row changes, except that tombstones and quarantined rows are purged as the contract says. Where the log and a listing
show that there is nothing to do, no Spark job starts and nothing is committed.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from datetime import datetime, timezone
from functools import partial

from delta.tables import DeltaTable as SparkTable
from deltalake import DeltaTable

from medallion_assets.contracts.gold import GoldTable
from medallion_assets.contracts.silver import SilverTable
from medallion_assets.contracts.sql_text import quoted_name
from medallion_assets.contracts.table import Table
from medallion_assets.lakehouse.control.catalog import LEDGERS
from medallion_assets.lakehouse.maintenance.int96 import rewrite_int96
from medallion_assets.lakehouse.maintenance.results import MaintenanceResult
from medallion_assets.lakehouse.maintenance.vacuum import file_sizes, vacuumed
from medallion_assets.lakehouse.silver.purge import purge_expired
from medallion_assets.lakehouse.silver.quarantine import quarantine_key
from medallion_assets.lakehouse.storage import transaction_log
from medallion_assets.lakehouse.storage.lake import Lake
from medallion_assets.lakehouse.storage.locks import one_writer
from medallion_assets.lakehouse.storage.open_table import open_table
from medallion_assets.lakehouse.storage.predicates import partitions_predicate

FRAGMENTS = 8
"""How many small files make a partition fragmented: fewer cost readers less than a daily rewrite would."""
SMALL = 32 * 2**20
"""Bytes. A quarter of what Spark reads in one task: with smaller files a task mostly opens files."""


def maintain(lake: Lake, tables: Iterable[Table]) -> list[MaintenanceResult]:
    """Maintains all tables that exist, with their quarantines and the control tables; a result for each.

    A table that fails does not stop the others: its result has the error.
    """
    purged = [
        _purge(lake, table)
        for table in tables
        if isinstance(table, SilverTable) and table.purge_after is not None
    ]
    works: dict[str, Callable[[Lake, str], MaintenanceResult]] = {}
    for table in tables:
        works[table.key] = partial(_by_spark, sort_by=table.sort_by if isinstance(table, GoldTable) else ())
        if table.layer == "silver":
            works[quarantine_key(table.name)] = _by_spark
    works |= {ledger.key: _by_delta_rs for ledger in LEDGERS}
    done = [_tried(lake, key, work) for key, work in works.items() if lake.exists(key)]
    return [*(result for result in purged if result), *done]


def _purge(lake: Lake, table: SilverTable) -> MaintenanceResult:
    try:
        done = purge_expired(lake, table, datetime.now(timezone.utc))
    except Exception as error:
        return _failed(table.key, error)
    return MaintenanceResult(table.key, expired=done.tombstones + done.quarantined)


def _tried(lake: Lake, key: str, work: Callable[[Lake, str], MaintenanceResult]) -> MaintenanceResult:
    try:
        with one_writer(lake.root, key):
            return work(lake, key)
    except Exception as error:
        return _failed(key, error)


def _failed(key: str, error: Exception) -> MaintenanceResult:
    """An error of any type is reported at the end, after the other tables."""
    reason = (str(error).strip().splitlines() or [""])[0]
    return MaintenanceResult(key, error=f"{type(error).__name__}: {reason}")


def _by_spark(lake: Lake, key: str, sort_by: Collection[str] = ()) -> MaintenanceResult:
    """Tables of the layers, and quarantines. `sort_by` names no partition column."""
    rewrite_int96(lake, key)
    before = open_table(lake.path(key))
    if not (where := fragmented(before)):
        return vacuumed(lake, key, MaintenanceResult(key))
    optimizer = SparkTable.forPath(lake.spark, lake.path(key)).optimize().where(where)
    if sort_by:  # plain compaction would undo the order of gold's rows, by which statistics skip files
        optimizer.executeZOrderBy(*map(quoted_name, sort_by))
    else:
        optimizer.executeCompaction()
    return vacuumed(lake, key, _compacted(key, before, open_table(lake.path(key))))


def fragmented(table: DeltaTable) -> str:
    """The SQL predicate of the partitions with many small files; empty where there are none."""
    small: dict[str | None, int] = {}
    for value, size in transaction_log.active_files(table).values():
        small[value] = small.get(value, 0) + (size < SMALL)
    values = {value for value, files in small.items() if files >= FRAGMENTS}
    return partitions_predicate(table.metadata().partition_columns, values) if values else ""


def _compacted(key: str, before: DeltaTable, after: DeltaTable) -> MaintenanceResult:
    old, new = transaction_log.active_files(before), transaction_log.active_files(after)
    removed, added = old.keys() - new.keys(), new.keys() - old.keys()
    sizes = sum(old[file][1] for file in removed), sum(new[file][1] for file in added)
    return MaintenanceResult(key, 0, len(removed), len(added), *sizes)


def _by_delta_rs(lake: Lake, key: str) -> MaintenanceResult:
    """Control tables. With a checkpoint their readers, mostly sensors, need not read the commits before it."""
    path, result = lake.path(key), MaintenanceResult(key)
    before = open_table(path)
    if fragmented(before):
        open_table(path).optimize.compact()
        result = _compacted(key, before, open_table(path))
    table = open_table(path)
    table.create_checkpoint()
    sizes = file_sizes(path, table.vacuum(full=True))
    if sizes:
        table.vacuum(full=True, dry_run=False)
    return replace(result, removed=len(sizes), bytes_removed=sum(sizes.values()))
