"""What a Delta log tells without Spark and without reading data: versions, partitions, bytes and counts of commits.

The terms (add action, active file, partition value) are those of the Delta protocol (PROTOCOL.md of delta-io/delta).
"""

from collections import defaultdict
from collections.abc import Mapping

import pyarrow as pa
from deltalake import DeltaTable

from medallion_assets.contracts.technical_columns import DELETED_AT
from medallion_assets.lakehouse.storage.lake import table_path
from medallion_assets.lakehouse.storage.open_table import find_table, open_table

Files = Mapping[str, tuple[str | None, int]]
"""Path -> (partition value, bytes) of active files."""


def version(root: str, key: str) -> int | None:
    """The table's current version; None where there is no table."""
    table = find_table(table_path(root, key))
    return None if table is None else table.version()


def partition_bytes(root: str, key: str) -> dict[str | None, int]:
    """Bytes of the active files by partition value (None: unpartitioned or the NULL partition)."""
    return {value: sum(files.values()) for value, files in partition_files(root, key).items()}


def partition_files(root: str, key: str) -> dict[str | None, dict[str, int]]:
    """The active files, path -> bytes, by partition value (None: unpartitioned or the NULL partition)."""
    found: dict[str | None, dict[str, int]] = defaultdict(dict)
    table = find_table(table_path(root, key))
    for path, (value, size) in active_files(table).items() if table is not None else ():
        found[value][path] = size
    return dict(found)


def column_names(root: str, key: str) -> list[str]:
    """The columns of the table in their order; none where there is no table."""
    table = find_table(table_path(root, key))
    return [field.name for field in table.schema().fields] if table is not None else []


def rows(root: str, key: str) -> int:
    """How many rows the table has, by the statistics of its files."""
    actions = open_table(table_path(root, key)).get_add_actions(flatten=True)
    return sum(pa.table(actions)["num_records"].to_pylist())


def bounds(root: str, key: str, column: str) -> set[str]:
    """The least and the greatest value of a column of text in each file, by its statistics; none without a table."""
    table = find_table(table_path(root, key))
    if table is None:
        return set()
    actions = pa.table(table.get_add_actions(flatten=True))
    names = {f"min.{column}", f"max.{column}"} & {*actions.column_names}
    return {value for name in names for value in actions[name].to_pylist() if value}


def live_rows_without_partition(root: str, key: str) -> int:
    """How many rows but tombstones are in the NULL partition, by the statistics of its files."""
    table = find_table(table_path(root, key))
    columns = table.metadata().partition_columns if table is not None else []
    if table is None or not columns:
        return 0
    actions = pa.table(table.get_add_actions(flatten=True))
    live = f"null_count.{DELETED_AT}" if f"null_count.{DELETED_AT}" in actions.column_names else "num_records"
    values = zip(actions[f"partition.{columns[0]}"].to_pylist(), actions[live].to_pylist(), strict=True)
    return sum(rows or 0 for value, rows in values if value is None)


def affected_partitions(root: str, key: str, since: int) -> set[str | None] | None:
    """Partition values of the files added or removed after version `since`; None where the log was cleaned since.

    A commit that only rearranges rows (OPTIMIZE) affects no partition: the versions before and after it are compared.
    """
    path = table_path(root, key)
    try:
        before = active_files(open_table(path, version=since))
    except Exception:  # delta-rs raises several types for a version whose log was cleaned
        return None
    table = open_table(path)
    now, affected = active_files(table), set[str | None]()
    if before.keys() == now.keys():
        return affected
    for optimized in _optimize_commits(table, since):
        affected |= _differing(before, active_files(open_table(path, version=optimized - 1)))
        before = active_files(open_table(path, version=optimized))
    return affected | _differing(before, now)


def _optimize_commits(table: DeltaTable, since: int) -> list[int]:
    """The versions after `since` that changed files and no row, written by Spark or delta-rs."""
    commits = table.history(limit=table.version() - since)
    return sorted(commit["version"] for commit in commits if commit["operation"] == "OPTIMIZE")


def _differing(before: Files, after: Files) -> set[str | None]:
    return {(before.get(file) or after[file])[0] for file in before.keys() ^ after.keys()}


def active_files(table: DeltaTable) -> Files:
    """The files that make up this version of the table; of several partition columns the first one counts."""
    actions = pa.table(table.get_add_actions(flatten=True))
    columns = table.metadata().partition_columns
    values = actions[f"partition.{columns[0]}"].to_pylist() if columns else [None] * actions.num_rows
    sizes = actions["size_bytes"].to_pylist()
    names = actions["path"].to_pylist()
    return {n: (None if v is None else str(v), s) for n, v, s in zip(names, values, sizes, strict=True)}


def commit_counts(root: str, key: str) -> dict[str, int]:
    """The operation metrics of the last commit (rows inserted, updated, deleted, written)."""
    metrics = open_table(table_path(root, key)).history(limit=1)[0].get("operationMetrics", {})
    return {name: int(value) for name, value in metrics.items() if str(value).isdigit()}
