"""A step takes the pool of a run whose process is gone, waits for any other, says so, and gives up in the end."""

import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from medallion_assets.commands.job_runner import failures
from medallion_assets.lakehouse.spark.process import this_process
from medallion_assets.orchestration import pools
from medallion_assets.orchestration.sensors.open_runs import OpenRuns
from medallion_assets_tests.end_to_end.test_command_line import places
from medallion_assets_tests.support.sample_lake import as_csv, order

DAGSTER_YAML = Path(__file__).parents[2] / "dagster.yaml"
HERE = socket.gethostname()
GONE = f"{HERE} {os.getpid()}-1"


@dg.op(pool="a_table")
def write() -> None: ...


@dg.job
def writes() -> None:
    write()


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    """As dagster.yaml makes it: one slot a pool."""
    limits = {"concurrency": {"pools": {"default_limit": 1, "granularity": "op"}}}
    with dg.DagsterInstance.local_temp(str(tmp_path), overrides=limits) as instance:
        yield instance


def holder(instance: dg.DagsterInstance, process: str) -> str:
    """A run that has begun and holds the pool, or waits for it."""
    tags = {pools.PROCESS: process} if process else {}
    run = instance.create_run_for_job(writes, status=dg.DagsterRunStatus.STARTED, tags=tags)
    store = instance.event_log_storage
    store.initialize_concurrency_limit_to_default("a_table")
    store.claim_concurrency_slot("a_table", run.run_id, "write")
    return run.run_id


def status(instance: dg.DagsterInstance, run_id: str) -> dg.DagsterRunStatus:
    run = instance.get_run_by_id(run_id)
    assert run
    return run.status


def test_the_pools_of_killed_runs_are_taken_back(
    instance: dg.DagsterInstance, caplog: pytest.LogCaptureFixture
):
    killed = [holder(instance, GONE) for _ in range(2)]  # the second was killed while it waited for the first
    assert OpenRuns(instance).runs == []
    done = writes.execute_in_process(instance=instance)
    assert done.success
    assert [status(instance, run_id) for run_id in killed] == [dg.DagsterRunStatus.FAILURE] * 2
    assert all(f"Took back the pools of run {run_id}" in caplog.text for run_id in killed)
    assert done.dagster_run.is_finished and instance.get_run_by_id(done.run_id).tags[pools.PROCESS] == (  # type: ignore[union-attr]
        f"{HERE} {this_process()}"
    )


@pytest.mark.parametrize(
    "process", [f"{HERE} {this_process()}", f"not-{GONE}", ""], ids=["live", "host", "unknown"]
)
def test_another_run_is_waited_for_and_not_for_ever(
    instance: dg.DagsterInstance,
    process: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
):
    run_id = holder(instance, process)
    monkeypatch.setattr(pools, "LIMIT", 1.5)
    with caplog.at_level(logging.WARNING):
        began, worked = time.monotonic(), time.process_time()
        done = writes.execute_in_process(instance=instance, raise_on_error=False)
    assert f"write waits for the pool a_table, which is held by run {run_id}" in caplog.text
    (line,) = failures(done)
    assert "for the pool a_table" in line and f"held by run {run_id}: run this again once" in line
    assert status(instance, run_id) is dg.DagsterRunStatus.STARTED
    assert time.process_time() - worked < (time.monotonic() - began) / 2  # it sleeps


@pytest.mark.long
def test_a_command_that_was_killed_and_is_given_again_goes_through(tmp_path: Path):
    """SIGKILL while it holds its pool, with dagster.yaml as it is."""
    for source in ("orders", "customers", "products"):
        (tmp_path / "landing" / source / "date=2026-01-01").mkdir(parents=True)
    (tmp_path / "landing/orders/date=2026-01-01/a.csv").write_text(as_csv([order("o1")]))
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "dagster.yaml").write_bytes(DAGSTER_YAML.read_bytes())
    words = ("asset", "materialize", "-m", "medallion_assets.definitions", "--select", "bronze/orders")
    command = [sys.executable, "-m", "dagster", *words, "--partition", "2026-01-01"]
    environment = os.environ | places(tmp_path) | {"TMPDIR": str(tmp_path)}

    with subprocess.Popen(command, env=environment, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as first:
        assert first.stderr
        for line in first.stderr:
            if "STEP_START" in line:
                break
        folders = tmp_path / f"medallion_assets-{os.getuid()}"
        while not list(folders.glob(f"{first.pid}-*/blockmgr-*")):
            time.sleep(0.1)
        first.send_signal(signal.SIGKILL)
    assert len(list(folders.glob(f"{first.pid}-*"))) == 1

    again = subprocess.run(
        command, env=environment, cwd=tmp_path, stderr=subprocess.PIPE, text=True, timeout=300
    )
    assert again.returncode == 0, again.stderr
    assert "Took back the pools of run" in again.stderr
    assert not list(folders.glob(f"{first.pid}-*"))
    deadline = (
        time.monotonic() + 60
    )  # Spark ends after the command that started it, and removes its own folder then
    while list(folders.glob("*/blockmgr-*")) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert not list(folders.glob("*/blockmgr-*"))
