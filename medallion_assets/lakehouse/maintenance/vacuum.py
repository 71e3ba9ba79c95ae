"""Removes the files that no reader needs any more."""

from dataclasses import replace
from datetime import datetime, timezone

import pyarrow.fs as fs
from delta.tables import DeltaTable as SparkTable
from deltalake import DeltaTable
from deltalake.fs import DeltaStorageHandler

from medallion_assets.lakehouse.maintenance.results import MaintenanceResult
from medallion_assets.lakehouse.maintenance.retention import FLOOR, retention, undone
from medallion_assets.lakehouse.storage.lake import Lake


def _vacuumed(lake: Lake, key: str, saved: MaintenanceResult) -> MaintenanceResult:
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


def _is_hidden(name: str) -> bool:
    return name.rpartition("/")[2].startswith((".", "_"))


def _sizes(path: str, names: list[str]) -> dict[str, int]:
    """Bytes of the files, of those that are there."""
    found = fs.PyFileSystem(DeltaStorageHandler(path)).get_file_info(names) if names else []
    return {info.path: info.size for info in found if info.type == fs.FileType.File}
