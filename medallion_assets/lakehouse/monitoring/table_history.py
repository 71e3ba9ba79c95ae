"""The versions of a table: when, by which operation and by which run each was written, and with how many rows."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

import pyarrow.dataset as ds

from medallion_assets.lakehouse.control.run_log import RUN_LEDGER
from medallion_assets.lakehouse.control.small_table import having
from medallion_assets.lakehouse.storage.lake import MARK, table_path
from medallion_assets.lakehouse.storage.open_table import find_table

_MERGED = ("numTargetRowsInserted", "numTargetRowsUpdated", "numTargetRowsDeleted")
_WRITTEN = ("numOutputRows", "num_added_rows", "numDeletedRows", "num_deleted_rows")


@dataclass(frozen=True)
class TableVersion:
    """One commit.

    run_id: of the run ledger; empty for commits of maintenance, of control tables and of somebody else
    mark: what commits of ours bear: the table, and in a control table the table and version that the rows are about
    rows: inserted, updated and deleted by a merge, written by another operation; None where it does not say
    """

    version: int
    at: datetime
    operation: str
    run_id: str
    mark: str
    rows: int | None


def history_of(root: str, key: str, most: int) -> list[TableVersion]:
    """The newest versions of the table, the newest first; none where there is no table."""
    table = find_table(table_path(root, key))
    if table is None:
        return []
    commits = table.history(limit=most)
    runs = _runs(root, key, min(commit["version"] for commit in commits))
    return [_version(commit, runs) for commit in commits]


def _version(commit: Mapping[str, Any], runs: Mapping[int, str]) -> TableVersion:
    number, mark = commit["version"], commit.get(MARK, "")
    at = datetime.fromtimestamp(commit["timestamp"] / 1000, timezone.utc)
    run_id = runs.get(number, "") if mark else ""
    return TableVersion(number, at, commit.get("operation", ""), run_id, mark, _rows(commit))


def _rows(commit: Mapping[str, Any]) -> int | None:
    metrics = commit.get("operationMetrics", {})
    merged = [int(metrics[name]) for name in _MERGED if name in metrics]
    written = [int(metrics[name]) for name in _WRITTEN if name in metrics]
    return sum(merged) if merged else written[0] if written else None


def _runs(root: str, key: str, first: int) -> dict[int, str]:
    """Version -> the run that wrote it, from the version `first` on."""
    wanted = having(asset=key) & (ds.field("version_after") >= first)
    names = ("run_id", "version_before", "version_after")
    found: dict[int, str] = {}
    for run_id, before, after in RUN_LEDGER.columns(root, *names, where=wanted):
        for version in range(0 if before is None else before + 1, after + 1):
            found[version] = run_id
    return found
