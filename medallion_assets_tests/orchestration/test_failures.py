"""When a run fails: what is tried again, what is noted, and that nothing of it is lost or done twice."""

import dataclasses
import os
import threading
import time
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from uuid import uuid4

import dagster as dg
import pytest
from deltalake import DeltaTable, write_deltalake

from medallion_assets.definitions import repository
from medallion_assets.lakehouse.control import run_log
from medallion_assets.lakehouse.control.run_log import CheckResult, PipelineError, RunEntry
from medallion_assets.orchestration.failures import RetrySettings
from medallion_assets.orchestration.jobs.asset_jobs import landing_to_gold
from medallion_assets_tests.support.dagster_runner import DagsterRunner, checks, materializations
from medallion_assets_tests.support.full_disk import mounted, resize
from medallion_assets_tests.support.sample_lake import TABLES, order

ONE, TWO, THREE = "2026-01-01", "2026-01-02", "2026-01-03"
EVER = datetime(2020, 1, 1, tzinfo=timezone.utc)
KIND = dg.DagsterEventType
ORDERS = {key: TABLES[key] for key in ("bronze/orders", "silver/orders")}


def orders_desk(desk: DagsterRunner, **changes) -> DagsterRunner:
    """Orders up to silver, with another bronze contract; retries do not wait."""
    bronze = dataclasses.replace(ORDERS["bronze/orders"], **changes)
    silver = dataclasses.replace(ORDERS["silver/orders"], inputs=(bronze,))
    made = repository({bronze.key: bronze, silver.key: silver})
    quick = {**(made.resources or {}), "retries": RetrySettings(seconds=0.01)}
    return DagsterRunner(
        desk.shop,
        desk.instance,
        dg.Definitions(made.assets, jobs=[landing_to_gold], resources=quick, executor=dg.in_process_executor),
    )


def errors(desk: DagsterRunner) -> list[PipelineError]:
    return run_log.since(desk.shop.lake.root, PipelineError, EVER)


def entries(desk: DagsterRunner, asset: str) -> list[tuple]:
    found = run_log.since(desk.shop.lake.root, RunEntry, EVER)
    wanted = ("day", "status", "rows_in", "valid", "quarantined", "superseded", "deleted")
    return [tuple(getattr(e, name) for name in wanted) for e in found if e.asset == asset]


def attempts(result: dg.ExecuteInProcessResult) -> int:
    return 1 + sum(event.event_type is KIND.STEP_RESTARTED for event in result.all_events)


def test_a_run_leaves_a_row_for_each_assets_day_and_for_each_check(desk: DagsterRunner):
    desk = orders_desk(desk)
    good, bad = (
        [order("o1"), order("o1", at="2026-01-01T11:00:00Z"), order("o2")],
        [order("x", amount="?")] * 2,
    )
    desk.shop.land("orders", ONE, "a.csv", good)
    desk.shop.land("orders", TWO, "a.csv", [*bad, order("o3", day=TWO)])
    done = desk.run("landing_to_gold", ONE, THREE)
    assert not done.success and attempts(done) == 1  # a day that a rule refused is refused again
    none = (None, None, None)
    assert entries(desk, "bronze/orders") == [
        (ONE, "OK", 3, 3, *none),
        (TWO, "OK", 3, 3, *none),
        (THREE, "NO_DATA", 0, 0, *none),
    ]
    assert entries(desk, "silver/orders") == [
        (ONE, "OK", 3, 3, 0, 1, 0),
        (TWO, "BLOCKED", 3, 1, 2, 0, 0),
        (THREE, "NO_DATA", 0, 0, 0, 0, 0),
    ]
    (first, *_) = run_log.since(desk.shop.lake.root, RunEntry, EVER)
    assert (first.run_id, first.version_before, first.version_after) == (done.run_id, None, 0)
    assert first.bytes and first.seconds and first.code_version == TABLES["bronze/orders"].fingerprint

    kept = run_log.since(desk.shop.lake.root, CheckResult, EVER)
    told = {(c.asset, c.check_name, c.day): c.passed for c in kept}
    found = {(a, n, d): passed for (a, n), days in checks(done).items() for d, passed in days.items()}
    assert told == {at: passed for at, passed in found.items() if at[1] != "open_days"}
    assert not told["silver/orders", "quarantine_ratio", TWO]
    (ratio,) = [c for c in kept if c.check_name == "quarantine_ratio" and c.day == TWO]
    assert (ratio.severity, ratio.figures) == (
        "ERROR",
        '{"ratio": 0.6667, "limit": 0.5, "rows": 3, "quarantined": 2}',
    )

    (error,) = errors(desk)
    assert (error.pipeline, error.asset, error.day) == ("landing_to_gold", "silver/orders", f"{ONE}..{THREE}")
    assert error.error_class == "medallion_assets.orchestration.failures.RejectedPartitions"
    refused = f"1 day was rejected by a blocking check: {TWO}: silver/orders quarantine_ratio: 2 of 3 rows "
    assert error.message.startswith(refused)
    assert error.run_id == done.run_id and "Traceback" in error.traceback and error.attempt == 1

    desk.shop.land("orders", THREE, "a.csv", [order("o4", day=THREE)] * 4)
    trend = materializations(desk.run("landing_to_gold", THREE))["bronze/orders"][THREE]
    assert (trend["rows_in"], trend["rows_in_week_mean"]) == (4, 3.0)


def test_a_day_without_data_is_an_error_only_where_data_is_expected_and_not_on_days_off(desk: DagsterRunner):
    desk = orders_desk(desk, expects_data=True, days_off=("FRIDAY", ONE))
    desk.shop.land("orders", THREE, "a.csv", [order("o1", day=THREE)])
    done = desk.run("landing_to_gold", "2025-12-31", THREE)
    assert not done.success
    # The 1st is a day off, the 2nd a Friday.
    expected = {"2025-12-31": False, ONE: True, TWO: True, THREE: True}
    assert checks(done)["bronze/orders", "has_data"] == expected
    statuses = [entry[:2] for entry in entries(desk, "silver/orders")]
    assert statuses == [("2025-12-31", "SKIPPED"), (ONE, "NO_DATA"), (TWO, "NO_DATA"), (THREE, "OK")]
    assert materializations(done)["bronze/orders"]["2025-12-31"]["status"] == "NO_DATA"


@pytest.mark.long
def test_a_source_that_is_missing_is_said_at_once_and_the_lake_stays_as_it_is(desk: DagsterRunner):
    desk = orders_desk(desk)
    desk.shop.land("orders", ONE, "a.csv", [order("o1")])
    assert desk.run("landing_to_gold", ONE).success
    before = desk.shop.versions(ORDERS)
    away = desk.shop.landing.rename(desk.shop.root / "unmounted")
    done = desk.run("landing_to_gold", ONE)
    assert not done.success and attempts(done) == 1 and desk.shop.versions(ORDERS) == before
    (error,) = errors(desk)
    assert error.asset == "bronze/orders" and error.error_class.endswith(".PreCheckError")
    assert str(desk.shop.landing) in error.message
    assert entries(desk, "bronze/orders")[-1][:2] == (ONE, "FAILED")
    away.rename(desk.shop.landing)
    assert desk.run("landing_to_gold", ONE).success and len(errors(desk)) == 1


@pytest.mark.long
def test_a_commit_that_meets_another_one_is_tried_again(desk: DagsterRunner):
    """A writer that knows of no lock appends to the day that bronze replaces, until the step is tried again."""
    desk = orders_desk(desk)
    file = desk.shop.land("orders", ONE, "a.csv", [order("o1")])
    assert desk.run("landing_to_gold", ONE).success
    desk.shop.land("orders", ONE, "a.csv", [order("o1", amount="11")])
    os.utime(file, (1, 1))
    path = desk.shop.lake.path("bronze/orders")
    foreign = DeltaTable(path).to_pyarrow_table()
    met = threading.Event()

    def intrude() -> None:
        while not met.is_set():
            write_deltalake(path, foreign, mode="append")
            time.sleep(0.02)

    def hear(entry: dg.EventLogEntry) -> None:
        if entry.dagster_event and entry.dagster_event.event_type is KIND.STEP_UP_FOR_RETRY:
            met.set()

    writer = threading.Thread(target=intrude)
    definition = desk.defs.resolve_job_def("landing_to_gold")
    run_id = str(uuid4())
    desk.instance.add_event_listener(run_id, hear)
    writer.start()
    try:
        done = definition.execute_in_process(
            instance=desk.instance, run_id=run_id, partition_key=ONE, raise_on_error=False
        )
    finally:
        met.set()
        writer.join()
    assert done.success and attempts(done) == 2 and errors(desk) == []
    assert desk.shop.live() == [("o1", "11.00")]


@pytest.mark.long
def test_what_does_not_pass_is_noted_once_after_the_last_attempt(
    desk: DagsterRunner, monkeypatch: pytest.MonkeyPatch
):
    """The lake's folder of silver is a file: the same I/O error at each attempt."""
    desk = orders_desk(desk)
    desk.shop.land("orders", ONE, "a.csv", [order("o1")])
    folder = Path(desk.shop.lake.path("silver/orders"))
    folder.parent.mkdir(parents=True)
    folder.write_text("in the way")
    done = desk.run("landing_to_gold", ONE)
    assert not done.success
    (error,) = errors(desk)
    assert error.asset == "silver/orders" and error.attempt == attempts(done)
    folder.unlink()
    assert desk.run("landing_to_gold", ONE).success and desk.shop.live() == [("o1", "10.00")]


@pytest.mark.long
def test_a_corrupt_log_is_loud(desk: DagsterRunner):
    desk = orders_desk(desk)
    desk.shop.land("orders", ONE, "a.csv", [order("o1")])
    assert desk.run("landing_to_gold", ONE).success
    desk.shop.land("orders", ONE, "b.csv", [order("o2")])
    log = Path(desk.shop.lake.path("silver/orders")) / "_delta_log"
    first = log / f"{0:020}.json"
    whole = first.read_text()
    first.write_text(whole[: len(whole) // 2])
    (log / f".{0:020}.json.crc").unlink(missing_ok=True)
    assert not desk.run("landing_to_gold", ONE).success
    assert errors(desk)[-1].asset == "silver/orders"
    first.write_text(whole)
    assert desk.run("landing_to_gold", ONE).success
    assert desk.shop.live() == [("o1", "10.00"), ("o2", "10.00")]


@pytest.fixture
def small_disk(desk: DagsterRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A lake on a file system of its own, too small for what is landed."""
    monkeypatch.setenv("MEDALLION_MIN_FREE_MB", "0")
    with mounted(tmp_path / "disk", 3) as disk:
        monkeypatch.setenv("MEDALLION_LAKEHOUSE", str(disk / "lake"))
        desk.shop.lake = dataclasses.replace(desk.shop.lake, root=str(disk / "lake"))
        yield disk


@pytest.mark.long
def test_a_disk_that_fills_up_loses_nothing(desk: DagsterRunner, small_disk: Path):
    desk = orders_desk(desk)
    desk.shop.land("orders", ONE, "a.csv", [order("o1")])
    assert desk.run("landing_to_gold", ONE).success
    rows = [order(f"p{i}", note=os.urandom(300).hex()) for i in range(8000)]
    desk.shop.land("orders", TWO, "a.csv", rows)
    done = desk.run("landing_to_gold", TWO)
    assert not done.success and attempts(done) == 1
    (failed,) = [event for event in done.all_events if event.is_step_failure]
    assert "No space left on device" in str(failed.step_failure_data.error)
    resize(small_disk, 100)
    assert desk.run("landing_to_gold", TWO).success
    assert len(desk.shop.live()) == 8001 and len(desk.shop.rows("bronze/orders")) == 8001
