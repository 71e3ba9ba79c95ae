"""What a Delta log tells without Spark and without reading data: versions, days, bytes and counts of commits."""

from collections import defaultdict
from collections.abc import Mapping

import pyarrow as pa
from deltalake import DeltaTable
from deltalake.exceptions import TableNotFoundError

from medallion_assets.lakehouse.storage.lake import table_path

Files = Mapping[str, tuple[str | None, int]]
"""Path -> (partition value, bytes) of active files."""


def version(root: str, key: str) -> int | None:
    """The table's version now; None where there is no table."""
    try:
        return DeltaTable(table_path(root, key)).version()
    except TableNotFoundError:
        return None


def partition_bytes(root: str, key: str) -> dict[str | None, int]:
    """Bytes of the active files by partition value (None: unpartitioned or the NULL partition)."""
    sizes: dict[str | None, int] = defaultdict(int)
    try:
        files = active_files(DeltaTable(table_path(root, key)))
    except TableNotFoundError:
        return {}
    for value, size in files.values():
        sizes[value] += size
    return dict(sizes)


def partition_column(root: str, key: str) -> str | None:
    """The column that the table is partitioned by, if any."""
    return next(iter(DeltaTable(table_path(root, key)).metadata().partition_columns), None)


def rows(root: str, key: str) -> int:
    """How many rows the table has."""
    return sum(
        pa.table(DeltaTable(table_path(root, key)).get_add_actions(flatten=True))["num_records"].to_pylist()
    )


def touched_days(root: str, key: str, since: int) -> set[str | None] | None:
    """Partition values of the files added or removed after version `since`; None when the log no longer tells.

    What only rearranges rows (OPTIMIZE) touches no day: the stretches before and after it are compared.
    """
    path = table_path(root, key)
    try:
        before = active_files(DeltaTable(path, version=since))
    except Exception:  # delta-rs raises several types for a version whose log was cleaned
        return None
    table = DeltaTable(path)
    now, touched = active_files(table), set()
    if before.keys() == now.keys():
        return touched
    for rearranged in _rearranged(table, since):
        touched |= _differing(before, active_files(DeltaTable(path, version=rearranged - 1)))
        before = active_files(DeltaTable(path, version=rearranged))
    return touched | _differing(before, now)


def _rearranged(table: DeltaTable, since: int) -> list[int]:
    """The commits after `since` that changed files and no row, by Spark or delta-rs."""
    commits = table.history(limit=table.version() - since)
    return sorted(commit["version"] for commit in commits if commit["operation"] == "OPTIMIZE")


def _differing(before: Files, after: Files) -> set[str | None]:
    return {(before.get(file) or after[file])[0] for file in before.keys() ^ after.keys()}


def active_files(table: DeltaTable) -> Files:
    """The files that make up this version of the table."""
    actions = pa.table(table.get_add_actions(flatten=True))
    columns = table.metadata().partition_columns
    values = actions[f"partition.{columns[0]}"].to_pylist() if columns else [None] * actions.num_rows
    sizes = actions["size_bytes"].to_pylist()
    names = actions["path"].to_pylist()
    return {n: (None if v is None else str(v), s) for n, v, s in zip(names, values, sizes, strict=True)}


def commit_counts(root: str, key: str) -> dict[str, int]:
    """The operation metrics of the last commit (rows inserted, updated, deleted, written)."""
    metrics = DeltaTable(table_path(root, key)).history(limit=1)[0].get("operationMetrics", {})
    return {name: int(value) for name, value in metrics.items() if str(value).isdigit()}
