"""Upkeep of the lake: files of fragmented partitions are compacted, those that no reader needs any more are removed.

No row changes, but for tombstones and quarantined rows that the contract keeps no longer. Where the log and a listing
tell that there is nothing to do, nothing starts and nothing is committed.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from functools import partial

import pyarrow.fs as fs
from delta.tables import DeltaTable as SparkTable
from deltalake import DeltaTable
from deltalake.fs import DeltaStorageHandler

from medallion_assets.contracts.table import Table
from medallion_assets.lakehouse import horizons, journal, log, refreshes, watermarks
from medallion_assets.lakehouse.expiry import expire
from medallion_assets.lakehouse.retention import FLOOR, retention, undone
from medallion_assets.lakehouse.storage import Lake, literal, one_writer

CONTROL = (
    "control/landed_files",
    "control/folded_files",
    horizons.KEY,
    refreshes.KEY,
    watermarks.KEY,
    *(kind.KEY for kind in journal.KINDS),
)

FRAGMENTS = 8
"""Small files of a partition from which on it is rewritten: fewer cost a reader less than a daily rewrite would."""
SMALL = 32 * 2**20
"""Bytes. A quarter of what Spark reads in one task: opening a smaller file is what the task spends its time on."""


@dataclass(frozen=True)
class Saved:
    """What upkeep did to a table: compaction made `compacted` files, of `bytes_before`, into `made`, of `bytes_after`.

    expired: tombstones and quarantined rows older than the contract's `purge_after`
    removed, bytes_removed: files that no version kept needs, and those that killed writers left
    waits_for: the gold table that was last computed of a version whose files would be removed: nothing was
    error: why the table could not be kept, in one line
    """

    key: str
    expired: int = 0
    compacted: int = 0
    made: int = 0
    bytes_before: int = 0
    bytes_after: int = 0
    removed: int = 0
    bytes_removed: int = 0
    waits_for: str = ""
    error: str = ""

    def __bool__(self) -> bool:
        return any((self.expired, self.compacted, self.removed, self.waits_for, self.error))

    def __str__(self) -> str:
        if self.error:
            return f"{self.key}: {self.error}"
        if self.expired:
            return f"{self.key}: {self.expired} tombstones and quarantined rows expired"
        waits = f"; older files wait until {self.waits_for} is materialized" if self.waits_for else ""
        return (
            f"{self.key}: {self.compacted} files ({self.bytes_before:,} bytes) compacted to {self.made} "
            f"({self.bytes_after:,} bytes), {self.removed} removed ({self.bytes_removed:,} bytes){waits}"
        )


def upkeep(lake: Lake, tables: Iterable[Table]) -> list[Saved]:
    """All tables that are there, with their quarantines and the control tables. One that fails keeps no other back."""
    expired = [_expired(lake, table) for table in tables if table.purge_after is not None]
    works: dict[str, Callable[[Lake, str], Saved]] = {}
    for table in tables:
        works[table.key] = partial(_by_spark, sort_by=table.sort_by)
        if table.layer == "silver":
            works[f"quarantine/{table.name}"] = _by_spark
    works |= dict.fromkeys(CONTROL, _by_delta_rs)
    kept = [_kept(lake, key, work) for key, work in works.items() if lake.exists(key)]
    return [*(one for one in expired if one), *kept]


def _expired(lake: Lake, table: Table) -> Saved:
    try:
        done = expire(lake, table, datetime.now(timezone.utc))
    except Exception as error:
        return _failed(table.key, error)
    return Saved(table.key, expired=done.tombstones + done.quarantined)


def _kept(lake: Lake, key: str, work: Callable[[Lake, str], Saved]) -> Saved:
    try:
        with one_writer(lake.root, key):
            return work(lake, key)
    except Exception as error:
        return _failed(key, error)


def _failed(key: str, error: Exception) -> Saved:
    """An error of whatever type is told at the end, after the other tables."""
    reason = (str(error).strip().splitlines() or [""])[0]
    return Saved(key, error=f"{type(error).__name__}: {reason}")


def _by_spark(lake: Lake, key: str, sort_by: Collection[str] = ()) -> Saved:
    before = DeltaTable(lake.path(key))
    if not (where := fragmented(before)):
        return _vacuumed(lake, key, Saved(key))
    optimizer = SparkTable.forPath(lake.spark, lake.path(key)).optimize().where(where)
    if sort_by:  # else compaction would undo the order that gold wrote, by which statistics skip files
        optimizer.executeZOrderBy(*sort_by)
    else:
        optimizer.executeCompaction()
    return _vacuumed(lake, key, _compacted(key, before, DeltaTable(lake.path(key))))


def fragmented(table: DeltaTable) -> str:
    """The predicate of the partitions with many small files; empty where there are none."""
    small: dict[str | None, int] = {}
    for value, size in log.active_files(table).values():
        small[value] = small.get(value, 0) + (size < SMALL)
    values = [value for value, files in small.items() if files >= FRAGMENTS]
    columns = table.metadata().partition_columns
    if not values or not columns:
        return "true" if values else ""
    column = f"`{columns[0]}`"
    listed = ", ".join(literal(value) for value in values if value is not None)
    parts = [f"CAST({column} AS STRING) IN ({listed})"] if listed else []
    return " OR ".join(parts + ([f"{column} IS NULL"] if None in values else []))


def _compacted(key: str, before: DeltaTable, after: DeltaTable) -> Saved:
    old, new = log.active_files(before), log.active_files(after)
    gone, made = old.keys() - new.keys(), new.keys() - old.keys()
    sizes = sum(old[file][1] for file in gone), sum(new[file][1] for file in made)
    return Saved(key, 0, len(gone), len(made), *sizes)


def _vacuumed(lake: Lake, key: str, saved: Saved) -> Saved:
    """By Spark, which knows what the table's features need; asked only where delta-rs finds something to remove.

    VACUUM takes no longer retention than the table's own, a week (of files removed earlier it knows no more), so where
    gold still reads what was replaced before that, it waits.
    """
    path = lake.path(key)
    # The checksums that Spark writes beside its files go with them.
    old = [name for name in DeltaTable(path).vacuum(full=True) if not _is_hidden(name)]
    if not old:
        return saved
    readers = undone(lake.root, key)
    if retention(datetime.now(timezone.utc), readers.values()) > FLOOR:
        return replace(saved, waits_for=min(readers, key=readers.__getitem__))
    # Its two commits would have gold look for what changed. Files are removed one by one, which is slow on an object
    # store: there spark.databricks.delta.vacuum.parallelDelete.enabled is worth a setting of the resource.
    lake.spark.conf.set("spark.databricks.delta.vacuum.logging.enabled", "false")
    sizes = _sizes(path, old)
    SparkTable.forPath(lake.spark, path).vacuum()
    for name in _sizes(path, old):
        sizes.pop(name, None)
    return replace(saved, removed=len(sizes), bytes_removed=sum(sizes.values()))


def _by_delta_rs(lake: Lake, key: str) -> Saved:
    """Control tables. The checkpoint spares their readers, the sensors above all, the commits since the last one."""
    path, saved = lake.path(key), Saved(key)
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


def _is_hidden(name: str) -> bool:
    return name.rpartition("/")[2].startswith((".", "_"))


def _sizes(path: str, names: list[str]) -> dict[str, int]:
    """Bytes of the files, of those that are there."""
    found = fs.PyFileSystem(DeltaStorageHandler(path)).get_file_info(names) if names else []
    return {info.path: info.size for info in found if info.type == fs.FileType.File}
