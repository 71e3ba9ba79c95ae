"""Removes the files of a table that no reader needs any more; how long they are kept is decided in `retention.py`."""

from dataclasses import replace
from datetime import datetime, timezone

from delta.tables import DeltaTable as SparkTable
from deltalake.fs import DeltaStorageHandler
from pyarrow import fs

from medallion_assets.lakehouse.maintenance.results import MaintenanceResult
from medallion_assets.lakehouse.maintenance.retention import FLOOR, replaced_at, retention
from medallion_assets.lakehouse.storage.lake import Lake
from medallion_assets.lakehouse.storage.open_table import open_table


def vacuumed(lake: Lake, key: str, result: MaintenanceResult) -> MaintenanceResult:
    """The result with the files that were removed.

    Spark removes them, since it knows the table's features; it is asked only where delta-rs finds such files. VACUUM
    has no longer retention than the table's own, a week. So where gold still reads a version that was replaced earlier,
    nothing is removed yet.
    """
    path = lake.path(key)
    # Hidden files are the checksums that Spark writes beside its files; they are removed with them.
    old = [name for name in open_table(path).vacuum(full=True) if not _is_hidden(name)]
    if not old:
        return result
    readers = replaced_at(lake.root, key)
    if retention(datetime.now(timezone.utc), readers.values()) > FLOOR:
        return replace(result, waits_for=min(readers, key=readers.__getitem__))
    # With logging VACUUM makes two commits, and gold would look for what they changed. Files are removed one by one,
    # which is slow on an object store: set spark.databricks.delta.vacuum.parallelDelete.enabled there.
    lake.spark.conf.set("spark.databricks.delta.vacuum.logging.enabled", "false")
    sizes = file_sizes(path, old)
    SparkTable.forPath(lake.spark, path).vacuum()
    for name in file_sizes(path, old):
        sizes.pop(name, None)
    return replace(result, removed=len(sizes), bytes_removed=sum(sizes.values()))


def _is_hidden(name: str) -> bool:
    return name.rpartition("/")[2].startswith((".", "_"))


def file_sizes(path: str, names: list[str]) -> dict[str, int]:
    """File -> bytes, of those files that exist. Names are relative to the table's folder `path`."""
    found = fs.PyFileSystem(DeltaStorageHandler(path)).get_file_info(names) if names else []
    return {info.path: info.size for info in found if info.type == fs.FileType.File}
