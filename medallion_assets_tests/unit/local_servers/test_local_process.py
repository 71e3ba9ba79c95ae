"""Processes that are started for a demo or a test: when they are ready, what is said when they fail, how they end."""

import re
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from medallion_assets.local_servers import local_process, postgres
from medallion_assets.local_servers.debezium import all_run
from medallion_assets.local_servers.java_program import properties
from medallion_assets.local_servers.local_process import LocalProcess, ServerError, running

STARTS_ANOTHER = "sleep 600 & echo $$ $! > numbers; wait"


def shell(folder: Path, text: str) -> LocalProcess:
    """Ready once it has written the file `numbers`."""
    numbers = folder / "numbers"
    return LocalProcess(
        "The shell", ["sh", "-c", text], folder, lambda: numbers.exists() and bool(numbers.read_text())
    )


def is_alive(number: str) -> bool:
    stat = Path(f"/proc/{number}/stat")
    try:
        return stat.read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize("before", ["", "trap '' TERM; "], ids=["willing", "deaf"])
def test_what_a_process_has_started_ends_with_it(
    tmp_path: Path, before: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(local_process, "STOP_SECONDS", 0.3)
    with running(shell(tmp_path, before + STARTS_ANOTHER)):
        numbers = (tmp_path / "numbers").read_text().split()
        assert [is_alive(number) for number in numbers] == [True, True]
    deadline = time.monotonic() + 5
    while any(map(is_alive, numbers)):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_killed_process_can_be_started_again(tmp_path: Path):
    with running(shell(tmp_path, STARTS_ANOTHER)) as process:
        process.kill()
        with pytest.raises(ServerError, match=r"ended by itself \(exit code -9\)"):
            process.check()
        process.start()
        process.check()


def test_a_signal_that_comes_while_a_process_is_made_leaves_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    made = subprocess.Popen

    def interrupted(*command: Any, **given: Any) -> subprocess.Popen[Any]:
        child = made(*command, **given)
        signal.raise_signal(signal.SIGINT)
        return child

    monkeypatch.setattr(subprocess, "Popen", interrupted)
    process = shell(tmp_path, STARTS_ANOTHER)
    with pytest.raises(KeyboardInterrupt), running(process):
        pass
    with pytest.raises(ServerError, match="ended by itself"):
        process.check()


def test_one_that_ends_before_it_is_ready_is_told_with_the_end_of_its_log(tmp_path: Path):
    with pytest.raises(ServerError) as error, running(shell(tmp_path, "seq 30; exit 3")):
        pass
    first, *lines = str(error.value).splitlines()
    assert first == "The shell ended by itself (exit code 3). Its log ends:"
    assert lines == [f"  {number}" for number in range(11, 31)]


def test_one_that_does_not_become_ready_in_time_is_ended(tmp_path: Path):
    process = shell(tmp_path, "sleep 600")
    with pytest.raises(ServerError, match="The shell is not ready after 0 s"), running(process, within=0.2):
        pass
    with pytest.raises(ServerError, match="ended by itself"):
        process.check()


def test_without_postgresql_the_error_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setattr(postgres, "glob", lambda pattern: [])
    monkeypatch.setattr(postgres, "_unprivileged", dict)
    wanted = (
        "There is no initdb of PostgreSQL: install it (on Debian and Ubuntu: apt-get install postgresql)."
    )
    with pytest.raises(ServerError, match=re.escape(wanted)), postgres.postgres_server("secret"):
        pass


@pytest.mark.parametrize(
    "connector, tasks, expected",
    [
        ("RUNNING", ["RUNNING"], True),
        ("RUNNING", ["FAILED"], False),
        ("RUNNING", [], False),
        ("UNASSIGNED", ["RUNNING"], False),
    ],
)
def test_debezium_runs_once_its_connector_and_its_task_do(connector: str, tasks: list[str], expected: bool):
    status = {"connector": {"state": connector}, "tasks": [{"state": state} for state in tasks]}
    assert all_run(status) is expected


def test_a_backslash_is_doubled_in_a_file_of_properties():
    assert properties({"a": "b\\c", "d": "e"}) == "a=b\\\\c\nd=e\n"
