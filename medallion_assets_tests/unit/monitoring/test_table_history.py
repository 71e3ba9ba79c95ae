"""The versions of a table, with the runs that wrote them: commits of delta-rs and entries of the run ledger in."""

from datetime import datetime, timezone
from pathlib import Path

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, write_deltalake

from medallion_assets.lakehouse.control.run_log import RunEntry, append
from medallion_assets.lakehouse.monitoring.table_history import history_of

KEY = "silver/orders"


def write(root: Path, rows: int, mark: str = KEY) -> None:
    marked = CommitProperties(custom_metadata={"userMetadata": mark} if mark else {})
    data = pa.table({"order_id": [str(n) for n in range(rows)]})
    write_deltalake(root / KEY, data, mode="append", commit_properties=marked)


def ran(root: Path, run_id: str, before: int | None, after: int) -> None:
    at = datetime(2026, 1, 5, tzinfo=timezone.utc)
    versions = {"version_before": before, "version_after": after}
    append(str(root), [RunEntry(KEY, "2026-01-01", run_id, "OK", "", at, **versions)])


def test_each_version_has_its_run_and_its_rows_the_newest_first(tmp_path: Path):
    write(tmp_path, 3)
    ran(tmp_path, "first", None, 0)
    write(tmp_path, 1)
    write(tmp_path, 2)
    ran(tmp_path, "second", 0, 2)
    ran(tmp_path, "idle", 2, 2)
    write(tmp_path, 5, mark="")
    DeltaTable(tmp_path / KEY).delete("order_id = '4'")
    found = history_of(str(tmp_path), KEY, most=10)
    assert [(one.version, one.operation, one.run_id, one.mark, one.rows) for one in found] == [
        (4, "DELETE", "", "", 1),
        (3, "WRITE", "", "", 5),
        (2, "WRITE", "second", KEY, 2),
        (1, "WRITE", "second", KEY, 1),
        (0, "WRITE", "first", KEY, 3),
    ]
    assert found[0].at >= found[-1].at and found[0].at.tzinfo is timezone.utc
    assert [one.version for one in history_of(str(tmp_path), KEY, most=2)] == [4, 3]


def test_a_table_that_is_not_there_has_no_versions(tmp_path: Path):
    assert history_of(str(tmp_path), KEY, most=10) == []
