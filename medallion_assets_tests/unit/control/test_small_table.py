"""Control tables: rows in, the same rows out, and no row of another key touched."""

import subprocess
import sys
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from subprocess import PIPE

import pytest
from deltalake import DeltaTable

from medallion_assets.lakehouse.control.small_table import SmallTable, having

AT = datetime(2026, 1, 5, 10, tzinfo=timezone.utc)


@dataclass(frozen=True)
class Visit:
    table_name: str
    day: str
    rows: int | None = None
    columns: list[str] = field(default_factory=list)
    broken: dict[str, int] = field(default_factory=dict)
    at: datetime = AT


VISITS = SmallTable("control/visits", Visit, partition_by="table_name")
A1 = Visit("silver/a", "2026-01-05", 3, ["x", "y"], {"rule": 2})
A2 = Visit("silver/a", "2026-01-06")
B1 = Visit("silver/it's b", "2026-01-05", 1)


@pytest.fixture
def root(tmp_path: Path) -> str:
    VISITS.append(str(tmp_path), [A1, A2, B1])
    return str(tmp_path)


def stored(root: str) -> list[Visit]:
    return sorted(VISITS.read(root), key=lambda row: (row.table_name, row.day))


def version(root: str) -> int:
    return DeltaTable(f"{root}/{VISITS.key}").version()


def test_rows_come_back_as_they_were_and_by_their_key(root: str):
    assert stored(root) == [A1, A2, B1]
    assert VISITS.read(root, having(table_name="silver/it's b")) == [B1]
    assert VISITS.read(root, having(table_name="silver/a", day=["2026-01-05", "2026-01-07"])) == [A1]


def test_where_nothing_was_written_there_is_nothing(tmp_path: Path):
    assert VISITS.read(str(tmp_path)) == [] and not VISITS.exists(str(tmp_path))
    VISITS.append(str(tmp_path), [])
    assert not VISITS.exists(str(tmp_path))


def test_replacing_touches_no_row_of_another_key(root: str):
    new = Visit("silver/a", "2026-01-05", 9)
    VISITS.replace(root, [new], table_name="silver/a", day=["2026-01-05"])
    assert stored(root) == [new, A2, B1]
    VISITS.replace(root, [], table_name="silver/it's b")
    assert stored(root) == [new, A2]


def test_an_update_sees_the_rows_of_its_key_and_commits_only_what_changes(root: str):
    before = version(root)
    assert VISITS.update(root, lambda rows: rows, table_name="silver/a")[1] == [A1, A2]
    assert version(root) == before
    VISITS.update(root, lambda rows: [row for row in rows if row.rows], table_name="silver/a")
    assert stored(root) == [A1, B1] and version(root) == before + 1


def test_a_process_that_ends_with_its_reading_ends_well(root: str):
    """One of eight aborted after its last line, where each core had work for three of them."""
    script = "import sys; from medallion_assets_tests.unit.control.test_small_table import VISITS; "
    script += "print(len(VISITS.read(sys.argv[1])))"
    command = [sys.executable, "-c", script, root]
    running = [
        subprocess.Popen(command, cwd=Path(__file__).parents[3], stdout=PIPE, stderr=PIPE) for _ in range(12)
    ]
    told = [(process.communicate()[0].strip(), process.returncode) for process in running]
    assert told == [(b"3", 0)] * 12


def test_a_lake_may_lie_below_a_folder_of_any_name(tmp_path: Path):
    root = str(tmp_path / "a b ü+")
    VISITS.append(root, [B1])
    assert VISITS.read(root) == [B1]
