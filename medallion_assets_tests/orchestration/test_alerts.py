"""What fails is told once, in words that hold no data, by whichever channel works."""

import json
import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.remote_origin import (
    InProcessCodeLocationOrigin,
    RemoteInstigatorOrigin,
    RemoteRepositoryOrigin,
)
from dagster._core.scheduler.instigation import (
    InstigatorState,
    InstigatorStatus,
    InstigatorType,
    SensorInstigatorData,
    TickData,
    TickStatus,
)
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster_shared.error import SerializableErrorInfo

from medallion_assets.lakehouse.control import streams
from medallion_assets.lakehouse.control.run_log import (
    CheckResult,
    PipelineError,
    RunEntry,
    append,
    errors_of,
    record_error,
)
from medallion_assets.lakehouse.control.small_table import now
from medallion_assets.orchestration.alerting.channels import AlertSettings
from medallion_assets.orchestration.alerting.sensor import build_alert_sensors
from medallion_assets.orchestration.resources import LakehouseResource
from medallion_assets.tables import find_tables
from medallion_assets_tests.support import slack_server
from medallion_assets_tests.support.slack_server import TOKEN, SlackServer

DAY = "2026-01-01"
OURS = "medallion_assets.lakehouse.monitoring.preflight.PreCheckError"


@dg.op
def breaks() -> None:
    raise ValueError("o1 costs -5")


@dg.job
def breaking():
    breaks()


DEFS = dg.Definitions(jobs=[breaking], sensors=build_alert_sensors({}))


@dataclass
class Watch:
    """The sensor `alerts` on a lake of its own, tick by tick."""

    root: str
    slack: SlackServer
    instance: dg.DagsterInstance
    settings: dict[str, str]
    logged: logging.Handler
    defs: dg.Definitions = DEFS
    cursor: str | None = None
    words: list[str] = field(default_factory=list)

    def tick(self, **settings: str) -> str:
        """What its tick says: it never fails, and takes no longer than ten seconds."""
        context = dg.build_sensor_context(
            instance=self.instance,
            cursor=self.cursor,
            definitions=self.defs,
            sensor_name="alerts",
            resources={
                "lakehouse": LakehouseResource(root=self.root),
                "alert_settings": AlertSettings(**{**self.settings, **settings}),
            },
        )
        context.log.addHandler(self.logged)
        began = time.monotonic()
        result: Any = self.defs.get_repository_def().get_sensor_def("alerts")(context)
        assert time.monotonic() - began < 10
        self.cursor = result.cursor
        self.words += [result.skip_reason.skip_message, result.cursor]
        return result.skip_reason.skip_message

    def error(
        self, run: str, kind: str = OURS, message: str = "no such folder", asset: str = "silver/orders"
    ):
        record_error(self.root, PipelineError("landing_to_gold", asset, DAY, run, kind, message, "", now()))

    def check(
        self,
        run: str,
        name: str,
        severity: str = "ERROR",
        passed: bool = False,
        day: str = DAY,
        broken: int = 0,
    ):
        figures = json.dumps({"value": "o1", "broken": broken})
        append(self.root, [CheckResult("silver/orders", day, run, name, passed, severity, figures, now())])

    def on_time(self) -> list[bool]:
        """What the check `on_time` of bronze/orders says; of what no run said the last is kept."""
        key = dg.AssetCheckKey(dg.AssetKey(["bronze", "orders"]), "on_time")
        found = self.instance.event_log_storage.get_asset_check_execution_history(key, limit=9)
        return [one.status.value == "SUCCEEDED" for one in found]

    def entry(self, run: str, status: str, day: str = DAY):
        append(self.root, [RunEntry("silver/orders", day, run, status, "code", now())])


@pytest.fixture
def watch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> Iterator[Watch]:
    for name in ("MEDALLION_SLACK_CHANNEL", "MEDALLION_ALERT_WEBHOOK", "MEDALLION_UI"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SLACK_BOT_TOKEN", TOKEN)
    caplog.set_level(logging.DEBUG)
    with slack_server.running() as slack, dg.instance_for_test() as instance:
        found = Watch(str(tmp_path), slack, instance, {"slack_url": slack.url}, caplog.handler)
        yield found
        told = "\n".join([*found.words, caplog.text])
        assert TOKEN not in told and "a-secret-of-its-own" not in told


def test_a_run_is_one_message_and_a_cause_is_told_once(watch: Watch):
    watch.error("run-0001-of-many")
    for day in (DAY, "2026-01-02"):
        watch.check("run-0001-of-many", "one", day=day)
    watch.check("run-0001-of-many", "two")
    watch.check("run-0001-of-many", "three", severity="WARN")
    watch.check("run-0001-of-many", "four", passed=True)
    assert watch.tick() == "No alerts are waiting."
    (sent,) = watch.slack.messages
    assert sent["text"].splitlines() == [
        f"ERROR: landing_to_gold failed at silver/orders {DAY}",
        "PreCheckError: no such folder",
        f"Failed checks: silver/orders one (2 days, {DAY}..2026-01-02), silver/orders two ({DAY}), "
        f"silver/orders three ({DAY})",
        "<http://127.0.0.1:3000/runs/run-0001-of-many|run run-0001>",
    ]
    assert (sent["channel"], sent["parse"], sent["link_names"]) == ("#data-alerts", "none", False)

    watch.error("run-0002")  # the same again, by a retry
    watch.check("run-0003", "two")
    watch.tick()
    assert len(watch.slack.messages) == 1
    watch.error("run-0004", message="another folder is not there")
    watch.tick(channel="#night", ui="https://dagster.example/")
    assert watch.slack.messages[1]["channel"] == "#night"
    assert "<https://dagster.example/runs/run-0004|run run-0004>" in watch.slack.texts[1]

    day_ago = (now() - timedelta(hours=25)).isoformat()
    kept = dict.fromkeys(json.loads(watch.cursor or "")["slack"], day_ago)
    watch.cursor = json.dumps({"slack": kept})
    watch.tick()
    # What goes on is told again the day after, each with the run that said it last.
    runs = {f"run-000{number}" for number in (1, 2, 3, 4)}
    assert {text.rpartition("|run ")[2].rstrip(">") for text in watch.slack.texts[2:]} == runs


def test_failed_checks_that_did_not_block_are_told_from_their_severity_on(watch: Watch):
    watch.check("run-1", "amounts", severity="WARN")
    watch.tick()
    assert watch.slack.texts == []
    watch.check("run-2", "totals")
    watch.tick()
    assert [text.splitlines()[0] for text in watch.slack.texts] == [
        f"ERROR: failed checks: silver/orders totals ({DAY})"
    ]
    watch.tick(minimum_severity="WARN")
    assert watch.slack.texts[1].startswith(f"WARN: failed checks: silver/orders amounts ({DAY})")
    with pytest.raises(ValueError, match="minimum_severity"):
        AlertSettings(minimum_severity="LOUD")


def test_the_worst_comes_first_with_its_counts(watch: Watch):
    watch.settings["minimum_severity"] = "WARN"
    watch.check("run-1", "amounts", severity="WARN", broken=90_000)
    watch.check("run-2", "totals")
    watch.check("run-3", "amounts", broken=1)
    for day, broken in ((DAY, 3315), ("2026-01-02", 64)):
        watch.check("run-4", "status", day=day, broken=broken)
    watch.check("run-4", "grain")
    watch.tick()
    assert [text.splitlines()[0] for text in watch.slack.texts] == [
        f"ERROR: failed checks: silver/orders status (2 days, {DAY}..2026-01-02): 3,379 rows, "
        f"silver/orders grain ({DAY})",
        f"ERROR: failed checks: silver/orders amounts ({DAY}): 1 rows",
        f"ERROR: failed checks: silver/orders totals ({DAY})",
    ]


def test_another_day_and_a_day_that_fails_again_are_news(watch: Watch):
    watch.check("run-1", "totals")
    watch.tick()
    watch.check("run-2", "totals")  # the same of the same day
    watch.tick()
    assert len(watch.slack.texts) == 1
    watch.check("run-3", "totals", day="2026-01-02")
    watch.tick()
    assert "2026-01-02" in watch.slack.texts[1]
    watch.check("run-4", "totals", passed=True)
    watch.tick()
    watch.tick()
    assert watch.slack.texts[2:] == [f"RECOVERED: silver/orders check totals {DAY}"]
    watch.check("run-5", "totals")
    watch.tick()
    assert f"silver/orders totals ({DAY})" in watch.slack.texts[3] and "run-5" in watch.slack.texts[3]


def test_an_error_is_over_when_a_later_run_brought_its_days(watch: Watch):
    watch.error("run-1", message="no folder 1")
    watch.entry("run-1", "FAILED")
    watch.tick()
    watch.entry("run-2", "OK", day="2025-12-31")  # another day
    watch.tick()
    assert len(watch.slack.texts) == 1
    watch.entry("run-3", "OK")
    watch.tick()
    watch.tick()
    assert watch.slack.texts[1:] == [f"RECOVERED: silver/orders {DAY} {OURS}"]
    watch.error("run-4", message="no folder 1")  # the same again
    watch.entry("run-4", "FAILED")
    watch.tick()
    assert len(watch.slack.texts) == 3 and "run-4" in watch.slack.texts[2]


def test_a_run_is_told_when_it_has_ended_and_said_why(watch: Watch):
    run = watch.instance.create_run_for_job(breaking, status=dg.DagsterRunStatus.STARTED)
    watch.check(run.run_id, "totals")
    watch.tick()
    watch.instance.report_run_failed(run)
    watch.tick()
    assert watch.slack.texts == []
    watch.error(run.run_id)
    watch.tick()
    assert len(watch.slack.texts) == 1 and "Failed checks" in watch.slack.texts[0]


def test_no_text_mentions_anybody_or_shows_a_value(watch: Watch):
    watch.error("run-1", message=f"<!channel> <@U1> @here a&b {'<' * 300}\ntwo\nthree\nfour {TOKEN}")
    watch.error("run-2", kind="pyspark.errors.exceptions.captured.ArithmeticException")
    watch.error("run-2", kind=OURS, message="o1 costs -5")  # joined: one of the two may quote a row
    watch.error("run-3", kind="pyspark.errors.SparkException", message="[DIVIDE_BY_ZERO] o1 costs -5")
    watch.error("run-4", kind="builtins.ValueError", message="[SECRET] costs -5")
    for number in range(30):
        watch.check("run-1", f"{number} {'<' * 200}")
    watch.tick()
    first, second, third, fourth = watch.slack.texts
    assert "&lt;!channel&gt; &lt;@\u200bU1&gt; @\u200bhere a&amp;b" in first and "four" not in first
    assert "\n".join(watch.slack.texts).count("<") == 4  # the links
    assert 1990 < max(len(text) for text in watch.slack.texts) <= 2000
    assert first.endswith("…\n<http://127.0.0.1:3000/runs/run-1|run run-1>")
    for text in (second, third, fourth):
        assert "costs" not in text and "SECRET" not in text and "see the run" in text
    assert "pyspark.errors.SparkException [DIVIDE_BY_ZERO]: see the run" in third
    assert "builtins.ValueError: see the run" in fourth
    assert "costs" not in (watch.cursor or "")

    watch.error("run-5", kind="pyspark.errors.SparkException", message="Task 7 failed, TID 12")
    watch.error("run-6", kind="pyspark.errors.SparkException", message="Task 9 failed, TID 40")
    watch.tick()
    assert len(watch.slack.texts) == 5


@pytest.mark.parametrize("mode", ["429", "500", "hang", "channel_not_found"])
def test_what_a_channel_did_not_take_comes_once_it_works(watch: Watch, mode: str):
    watch.settings["webhook"] = watch.slack.webhook
    watch.slack.mode = mode
    for number in range(3):
        watch.error(f"run-{number}", message=f"no folder {number}")
    told = watch.tick()
    reason = {"hang": "TimeoutError", "channel_not_found": mode}.get(mode, f"HTTP {mode}")
    assert told == f"slack: 3 waiting: {reason}"
    assert watch.slack.messages == [] and watch.slack.tries == 1 + 3  # Slack is tried once a tick
    assert [hooked["run_id"] for hooked in watch.slack.hooked] == ["run-0", "run-1", "run-2"]
    hooked = watch.slack.hooked[0]
    assert hooked.keys() == {"text", "severity", "cause", "run_id", "url"}
    assert hooked["url"] == "http://127.0.0.1:3000/runs/run-0" and "no folder 0" in hooked["text"]

    watch.slack.mode, watch.slack.hook_mode = "ok", "500"
    assert watch.tick() == "No alerts are waiting."
    watch.tick()
    assert [text.splitlines()[1] for text in watch.slack.texts] == [
        f"PreCheckError: no folder {number}" for number in range(3)
    ]
    assert len(watch.slack.hooked) == 3
    watch.error("run-9", message="no folder 9")
    assert watch.tick() == "webhook: 1 waiting: HTTP 500"


def test_a_flood_comes_in_portions_and_a_wrong_token_is_said(watch: Watch, monkeypatch: pytest.MonkeyPatch):
    for number in range(23):
        watch.error(f"run-{number}", message=f"no folder {number}")
    assert watch.tick() == "slack: 3 waiting: 20 were sent in this tick, the most at a time"
    monkeypatch.setenv("SLACK_BOT_TOKEN", "another")
    assert watch.tick() == "slack: 3 waiting: invalid_auth"
    monkeypatch.setenv("SLACK_BOT_TOKEN", TOKEN)
    watch.tick()
    assert len(set(watch.slack.texts)) == len(watch.slack.texts) == 23


def test_without_a_token_the_log_has_it_and_an_unreadable_journal_stops_nothing(
    watch: Watch, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.delenv("SLACK_BOT_TOKEN")
    watch.check("run-1", "totals")
    broken = Path(watch.root) / "control" / "pipeline_errors" / "_delta_log"
    broken.mkdir(parents=True)
    (broken / f"{0:020}.json").write_text("no log")
    assert "control/pipeline_errors cannot be read" in watch.tick()
    watch.tick()
    (logged,) = [one for one in caplog.records if "orders totals" in one.getMessage()]
    assert logged.levelno == logging.WARNING and watch.slack.tries == 0
    assert logged.getMessage().endswith("\nhttp://127.0.0.1:3000/runs/run-1")


def test_a_failed_run_that_noted_nothing_is_noted_once(watch: Watch):
    days = {"dagster/asset_partition_range_start": DAY, "dagster/asset_partition_range_end": "2026-01-03"}
    result = breaking.execute_in_process(instance=watch.instance, tags=days, raise_on_error=False)
    noted = breaking.execute_in_process(instance=watch.instance, raise_on_error=False)
    watch.error(noted.run_id, message="its own words")
    for run in (result, result, noted):
        context = dg.build_run_status_sensor_context(
            sensor_name="failed_runs",
            dagster_instance=watch.instance,
            dagster_run=run.dagster_run,
            dagster_event=run.get_run_failure_event(),
            resources={"lakehouse": LakehouseResource(root=watch.root)},
        )
        DEFS.get_repository_def().get_sensor_def("failed_runs")(context)
    (row,) = errors_of(watch.root, result.run_id)
    assert (row.pipeline, row.day, row.error_class) == (
        "breaking",
        f"{DAY}..2026-01-03",
        "dagster.RunFailure",
    )
    assert "breaks" in row.message and row.attempt == 1
    assert [row.message for row in errors_of(watch.root, noted.run_id)] == ["its own words"]
    watch.tick()
    assert len(watch.slack.texts) == 2
    assert watch.slack.texts[0].startswith("ERROR: landing_to_gold failed at silver/orders")
    assert "dagster.RunFailure: see the run" in watch.slack.texts[1]


def test_a_sensor_that_fails_or_stands_still_is_told(watch: Watch):
    at = time.time()
    _ticked(watch.instance, "alerts", at)
    _ticked(watch.instance, "failed_runs", at - 500)
    watch.tick()
    assert watch.slack.texts == []
    _ticked(watch.instance, "failed_runs", at - 700)
    watch.tick()
    assert watch.slack.texts == ["ERROR: sensor failed_runs is on, but has missed 20 ticks or more"]
    _ticked(watch.instance, "alerts", at - 690)  # no daemon ran: nobody's fault
    watch.cursor = None
    watch.tick()
    assert len(watch.slack.texts) == 1
    _ticked(watch.instance, "failed_runs", at, "KeyError")
    watch.tick()
    watch.tick()
    assert watch.slack.texts[1:] == ["ERROR: sensor failed_runs fails: KeyError (see its ticks in the UI)"]


def test_a_late_table_is_told_once_a_day(watch: Watch):
    orders = replace(find_tables()["bronze/orders"], due=timedelta(hours=6))
    watch.defs = dg.Definitions(sensors=build_alert_sensors({orders.key: orders}))
    watch.tick()
    watch.tick()
    (text,) = watch.slack.texts
    assert text.startswith("ERROR: bronze/orders: ") and "is late" in text
    assert watch.on_time() == [False]
    day = now() - timedelta(days=1) if now().hour >= 6 else now() - timedelta(days=2)
    append(watch.root, [RunEntry("bronze/orders", f"{day:%Y-%m-%d}", "run-1", "OK", "code", now())])
    watch.tick()
    watch.tick()
    assert watch.slack.texts[1:] == ["RECOVERED: late bronze/orders"]
    assert watch.on_time() == [True]


def test_a_stream_that_died_is_told_once_a_day_and_one_that_was_stopped_is_not(watch: Watch):
    at = now()
    alive = streams.Stream("bronze/a", ["bronze/a"], "here", 7, "stream-1", streams.RUNNING, at, at)
    long_ago = at - timedelta(minutes=5)
    dead = replace(alive, table_name="bronze/b", heartbeat_at=long_ago)
    stopped = replace(dead, table_name="bronze/c", status=streams.STOPPED)
    streams.record(watch.root, [alive, dead, stopped])
    watch.tick()
    watch.tick()
    (text,) = watch.slack.texts
    assert text.startswith("ERROR: bronze/b: the stream of process 7 on here gave its last sign of life at ")


def test_what_a_stream_failed_at_is_told_without_a_run_to_look_at(watch: Watch):
    error = PipelineError("stream", "bronze/a", DAY, streams.run_id_of(now()), OURS, "no topic", "", now())
    record_error(watch.root, error)
    watch.tick()
    (text,) = watch.slack.texts
    assert text == f"ERROR: stream failed at bronze/a {DAY}\nPreCheckError: no topic"


def _ticked(instance: dg.DagsterInstance, sensor: str, at: float, error: str = "") -> None:
    """What the daemon keeps of a sensor that is on and ticked at this time."""
    target = LoadableTargetOrigin(module_name="medallion_assets.definitions")
    place = RemoteRepositoryOrigin(InProcessCodeLocationOrigin(target), "__repository__")
    origin = RemoteInstigatorOrigin(place, sensor)
    data = SensorInstigatorData(last_tick_timestamp=at, min_interval=30)
    state = InstigatorState(origin, InstigatorType.SENSOR, InstigatorStatus.RUNNING, data)
    known = instance.get_instigator_state(state.instigator_origin_id, state.selector_id)
    instance.update_instigator_state(state) if known else instance.add_instigator_state(state)
    inner = SerializableErrorInfo("o1 costs -5", [], error)
    instance.create_tick(
        TickData(
            instigator_origin_id=state.instigator_origin_id,
            instigator_name=sensor,
            instigator_type=InstigatorType.SENSOR,
            status=TickStatus.FAILURE if error else TickStatus.SKIPPED,
            timestamp=at,
            error=SerializableErrorInfo("failed", [], "SensorExecutionError", inner) if error else None,
            selector_id=state.selector_id,
        )
    )
