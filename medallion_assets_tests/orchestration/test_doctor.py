"""What `make doctor` tells, run as a process over a lake of ledgers alone: its lines, its exit code, and no Spark."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.remote_origin import (
    RegisteredCodeLocationOrigin,
    RemoteInstigatorOrigin,
    RemoteRepositoryOrigin,
)
from dagster._core.scheduler.instigation import InstigatorState, InstigatorStatus, TickData, TickStatus
from dagster_shared.error import SerializableErrorInfo

from medallion_assets.lakehouse.control import run_log, streams
from medallion_assets.lakehouse.control.file_ledger import FoldedEntry, LandedEntry, record
from medallion_assets.lakehouse.landing.area import LandedFile
from medallion_assets.lakehouse.landing.listing import list_files
from medallion_assets.lakehouse.spark.java import java_home
from medallion_assets_tests.support.sample_lake import TABLES, as_csv, order

ONE, TWO, THREE = "2026-01-01", "2026-01-02", "2026-01-03"
SENSORS = ("landed_files", "stale_gold", "watermarks")
Doctor = Callable[..., tuple[int, dict[str, list[str]]]]


@pytest.fixture
def doctor(tmp_path: Path) -> Doctor:
    """Runs it; returns the exit code and what -> [state, the rest]. No Java may do more than tell its version."""
    java, asked = tmp_path / "java" / "bin" / "java", tmp_path / "asked-of-java"
    java.parent.mkdir(parents=True)
    java.write_text(f'#!/bin/sh\necho "$@" >> {asked}\nexec {java_home()}/bin/java "$@"\n')
    java.chmod(0o755)
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "dagster.yaml").touch()

    def run(**settings: str) -> tuple[int, dict[str, list[str]]]:
        places = {"JAVA_HOME": "java", "DAGSTER_HOME": "home"}
        places |= {"MEDALLION_LAKEHOUSE": "lake", "MEDALLION_LANDING": "landing"}
        environment = os.environ | {name: str(tmp_path / place) for name, place in places.items()} | settings
        command = [sys.executable, "-m", "medallion_assets.commands.doctor"]
        done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True)
        assert done.stderr == ""
        assert set(asked.read_text().splitlines()) == {"-version"}
        *printed, summary = done.stdout.splitlines()
        lines = [re.fullmatch(r"(OK  |WARN|FAIL)  (.+?)  +(.+)", line) for line in printed]
        well = sum(line.startswith("OK") for line in printed)
        assert summary.partition(": ")[2] == f"{well} of {len(printed)} are well"
        assert summary.startswith("FAIL") == bool(done.returncode)
        assert len({line and line.start(3) for line in lines}) == 1  # aligned
        return done.returncode, {line[2]: [line[1].strip(), line[3]] for line in lines if line}

    return run


def of_state(told: dict[str, list[str]], state: str) -> set[str]:
    return {what for what, (found, _) in told.items() if found == state}


def land(root: Path, day: str) -> LandedFile:
    folder = root / "landing" / "orders" / f"date={day}"
    folder.mkdir(parents=True)
    (folder / "a.csv").write_text(as_csv([order("o1", day=day)]))
    hours = time.time() - timedelta(hours=5).total_seconds()
    os.utime(folder / "a.csv", (hours, hours))
    return list_files(str(root / "landing"), "orders", [day])[0]


def landed(file: LandedFile) -> LandedEntry:
    at = file.modified_at.isoformat()
    return LandedEntry("bronze/orders", file.day, file.path, file.size, at, "loaded", 4, 0, [])


def folded(file: LandedFile, fingerprint: str, quarantined: int) -> FoldedEntry:
    at = file.modified_at.isoformat()
    counts = (4, 4 - quarantined, 0, 0, quarantined)
    return FoldedEntry("silver/orders", file.day, file.path, file.size, at, fingerprint, *counts, 4.0)


def test_a_fresh_checkout_fails_only_for_want_of_a_landing(tmp_path: Path, doctor: Doctor):
    code, told = doctor()
    assert code == 1
    assert of_state(told, "FAIL") == {
        f"source of bronze/{name}" for name in ("customers", "orders", "products")
    }
    assert "-> The landing folder" in told["source of bronze/orders"][1]
    assert "mount or create it" in told["source of bronze/orders"][1]
    assert of_state(told, "WARN") == {"gold/daily_sales"}
    assert "is late (due 6:00:00 after" in told["gold/daily_sales"][1]
    assert {f"sensor {name}" for name in SENSORS} <= of_state(told, "OK")
    assert told["sensor watermarks"][1] == "has not been on; `make dev` turns it on"
    assert {
        "python",
        "dagster",
        "pyspark",
        "delta-spark",
        "deltalake",
        "Java",
        "jars",
        "lake",
        "free disk",
    } <= set(told)


def test_what_cannot_be_looked_at_is_told_and_keeps_nothing_back(tmp_path: Path, doctor: Doctor):
    (tmp_path / "home" / "dagster.yaml").write_text("no_such_setting: 1\n")
    (tmp_path / "file").write_text("in a folder's place")
    for name in ("customers", "orders", "products"):
        (tmp_path / "landing" / name).mkdir(parents=True)
    asked = tmp_path / "site" / "medallion_assets-9.dist-info" / "METADATA"  # of another checkout
    asked.parent.mkdir(parents=True)
    asked.write_text("Name: medallion_assets\nRequires-Python: >=3.10\nRequires-Dist: pyspark==3.5.0\n")
    lake = str(tmp_path / "file" / "lake")
    code, told = doctor(MEDALLION_LAKEHOUSE=lake, PYTHONPATH=str(tmp_path / "site"))
    assert code == 1
    assert of_state(told, "FAIL") == {"pyspark", "lake", "Dagster"}
    assert "-> need pyspark==3.5.0: remove .venv and `make jars`" in told["pyspark"][1]
    assert "set MEDALLION_LAKEHOUSE to another folder" in told["lake"][1]
    assert told["last error"] == ["OK", "none in the last 24 hours"]


def test_what_waits_for_somebody_is_a_warning(tmp_path: Path, doctor: Doctor):
    """Of three days one is not taken, one is under an older contract with rows in quarantine; a run died yesterday."""
    root, now = str(tmp_path / "lake"), TABLES["silver/orders"].fingerprint
    begun = datetime.now(timezone.utc) - timedelta(minutes=3)
    dead = streams.Stream("bronze/events", ["bronze/events"], "here", 7, "stream-1", "running", begun, begun)
    streams.record(root, [dead])
    for name in ("customers", "products"):
        (tmp_path / "landing" / name).mkdir(parents=True)
    files = [land(tmp_path, day) for day in (ONE, TWO, THREE)]
    (tmp_path / "landing" / "orders" / "date=2026-1-5 ").mkdir()
    (tmp_path / "landing" / "orders" / f"date={ONE}" / "itself.csv.part").symlink_to("itself.csv.part")
    record(root, LandedEntry, "bronze/orders", [ONE, TWO], [landed(file) for file in files[:2]])
    done = [folded(files[0], "older", 3), folded(files[1], now, 0)]
    record(root, FoldedEntry, "silver/orders", [ONE, TWO], done)
    for hours, message in ((30, "long ago"), (2, "disk full\nat line 3")):
        at = datetime.now(timezone.utc) - timedelta(hours=hours)
        where = ("landing_to_gold", "silver/orders", ONE, "0123456789")
        run_log.append(root, [run_log.PipelineError(*where, "OSError", message, "", at)])
    with a_home_with_dead_runs(tmp_path / "home"):
        code, told = doctor()
    assert code == 0 and of_state(told, "FAIL") == set()
    expected = {
        "bronze/orders": f"1 day waits, the oldest {THREE}, oldest file 5 h old  -> materialize {THREE}",
        "silver/orders": "3 rows in quarantine, 1 of 2 days stale"
        "  -> fix files or contract, then `make replay TABLE=orders`",
        "beside bronze/orders": "never read, beside the days: 'date=2026-1-5 '"
        "  -> name each folder date=YYYY-MM-DD, or move it away",
        "last error": f"silver/orders {ONE}, 2 h ago: disk full  -> fix it and materialize the day (run 01234567)",
        "stream of bronze/events": "running, process 7 on here, 3 min ago, the brokers do not answer"
        "  -> start it again: `make stream`",
        "pool silver_orders": "held by run dead-run, which has ended"
        "  -> free it in the UI (Deployment, Concurrency); `make dev` does after a minute",
        "run open-run": "running for 0 min, the limit is 0 min  -> terminate it in the UI: its process may be gone",
        "sensor stale_gold": "FAILURE 0 min ago  -> read its error in the UI (Automation)",
        "sensor watermarks": "SKIPPED 3 h ago  -> start `make dev`, or turn it on",
    }
    known = of_state(told, "WARN") - {"gold/daily_sales"}
    assert {what: told[what][1] for what in known} == expected
    assert told["sensor landed_files"] == ["OK", "SUCCESS 0 min ago"]
    assert told["pool bronze_orders"] == ["OK", "held by run open-run, which is running"]
    assert told["pools"] == ["OK", "2 known, 2 in use"]


def a_home_with_dead_runs(home: Path) -> dg.DagsterInstance:
    """A run that is over and one that is open beyond the limit, each with a pool's slot; each sensor's last tick."""
    (home / "dagster.yaml").write_text("run_monitoring: {enabled: true, max_runtime_seconds: 1}\n")
    kept = dg.DagsterInstance.from_config(str(home))
    for run, status, pool in (
        ("dead-run", dg.DagsterRunStatus.FAILURE, "silver_orders"),
        ("open-run", dg.DagsterRunStatus.STARTED, "bronze_orders"),
    ):
        kept.add_run(dg.DagsterRun("landing_to_gold", run, status=status))
        kept.event_log_storage.set_concurrency_slots(pool, 1)
        kept.event_log_storage.claim_concurrency_slot(pool, run, "step")
    repository = RemoteRepositoryOrigin(RegisteredCodeLocationOrigin("here"), "__repository__")
    broken = SerializableErrorInfo("no such table", [], "ValueError")
    ticks = (
        (TickStatus.SUCCESS, 0, None),
        (TickStatus.FAILURE, 0, broken),
        (TickStatus.SKIPPED, 3 * 3600, None),
    )
    for sensor, (status, age, error) in zip(SENSORS, ticks, strict=True):
        origin = RemoteInstigatorOrigin(repository, sensor)
        state = InstigatorState(origin, InstigatorType.SENSOR, InstigatorStatus.RUNNING)
        kept.add_instigator_state(state)
        tick = (state.instigator_origin_id, sensor, state.instigator_type, status, time.time() - age)
        kept.create_tick(TickData(*tick, run_ids=[], error=error, selector_id=state.selector_id))
    return kept
