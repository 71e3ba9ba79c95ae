"""What a Delta log tells without Spark and without reading data: versions, days, bytes and counts of commits."""

from collections import defaultdict

import pyarrow as pa
from deltalake import DeltaTable
from deltalake.exceptions import TableNotFoundError

from medallion_assets.lakehouse.storage import table_path


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
        files = _active_files(table_path(root, key), None)
    except TableNotFoundError:
        return {}
    for value, size in files.values():
        sizes[value] += size
    return dict(sizes)


def rows(root: str, key: str) -> int:
    """How many rows the table has."""
    return sum(
        pa.table(DeltaTable(table_path(root, key)).get_add_actions(flatten=True))["num_records"].to_pylist()
    )


def touched_days(root: str, key: str, since: int) -> set[str | None] | None:
    """Partition values of the files added or removed after version `since`; None when the log no longer tells."""
    path = table_path(root, key)
    try:
        before = _active_files(path, since)
    except Exception:  # delta-rs raises several types for a version whose log was cleaned
        return None
    now = _active_files(path, None)
    changed = before.keys() ^ now.keys()
    return {(before.get(file) or now[file])[0] for file in changed}


def _active_files(path: str, at: int | None) -> dict[str, tuple[str | None, int]]:
    """Path -> (partition value, bytes) of each active file at a version (None: now)."""
    table = DeltaTable(path, version=at)
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
