"""Sensors that tell somebody what failed, is late or stands still. No JVM; no run is asked for.

Dagster's own sensor of failed runs is silent where a check failed and did not block, where a process was killed before
it wrote what happened, and where a sensor fails: those are read from the journal and the instance.
"""

import json
from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta
from typing import Any, TypeVar

import dagster as dg

from medallion_assets.contracts.table import Table
from medallion_assets.lakehouse.control.run_log import CheckResult, PipelineError, since
from medallion_assets.lakehouse.control.small_table import now
from medallion_assets.lakehouse.monitoring.freshness import late_tables
from medallion_assets.orchestration.alerting.channels import AlertSettings
from medallion_assets.orchestration.alerting.failed_runs import failed_runs_sensor
from medallion_assets.orchestration.alerting.incidents import Incident, incidents
from medallion_assets.orchestration.alerting.sensor_health import ALERTS, broken_sensors
from medallion_assets.orchestration.resources import LakehouseResource
from medallion_assets.orchestration.settings import SENSOR_STATUS

MEMORY = timedelta(hours=24)
"""What is told is not told again for so long, and what is older is no news."""
RUN_PATIENCE = timedelta(hours=1)
"""A run is told as a whole, at its end; but one that never ends is told."""

_ALIKE: Any = {"minimum_interval_seconds": 30, "default_status": SENSOR_STATUS}
_Found = TypeVar("_Found")


def build_alert_sensors(tables: Mapping[str, Table]) -> list[dg.SensorDefinition]:
    return [failed_runs_sensor(), _alerts(tables.values())]


def _alerts(tables: Collection[Table]) -> dg.SensorDefinition:
    @dg.sensor(
        name=ALERTS,
        description="Tells Slack, a webhook or the log what failed, is late or stands still. Once a day each.",
        **_ALIKE,
    )
    def sensor(
        context: dg.SensorEvaluationContext, lakehouse: LakehouseResource, alert_settings: AlertSettings
    ) -> dg.SensorResult:
        at = now()
        sent = _recalled(context.cursor, at - MEMORY)
        found, notes = _look(context, lakehouse.lake_root, tables, alert_settings.minimum_severity, at)
        for channel in alert_settings.channels(context.log):
            told = sent.setdefault(channel.name, {})
            notes.append(channel.deliver(found, alert_settings.ui_url, told))
        waiting = "; ".join(note for note in notes if note) or "Nothing waits to be told."
        return dg.SensorResult(skip_reason=waiting, cursor=json.dumps(sent))

    return sensor


def _look(
    context: dg.SensorEvaluationContext, root: str, tables: Collection[Table], minimum: str, at: datetime
) -> tuple[list[Incident], list[str]]:
    """The incidents of the last day, and what could not be looked at: the rest is told none the less."""
    notes: list[str] = []

    def tried(what: str, read: Callable[[], _Found], nothing: _Found) -> _Found:
        try:
            return read()
        except Exception as error:
            why = str(error).partition("\n")[0][:300]
            notes.append(f"{what} cannot be read: {type(error).__name__}: {why}")
            return nothing

    errors = tried(PipelineError.KEY, lambda: since(root, PipelineError, at - MEMORY), [])
    checks = tried(CheckResult.KEY, lambda: since(root, CheckResult, at - MEMORY), [])
    late = tried("what is late", lambda: late_tables(root, tables, at), {})
    silent = tried("the sensors", lambda: broken_sensors(context), {})
    failed = [check for check in checks if not check.passed]
    open_runs = _open_runs(context.instance, errors, failed, at)
    return incidents(
        [error for error in errors if error.run_id not in open_runs],
        [check for check in failed if check.run_id not in open_runs],
        late,
        silent,
        minimum,
    ), notes


def _open_runs(
    instance: dg.DagsterInstance, errors: list[PipelineError], failed: list[CheckResult], at: datetime
) -> set[str]:
    """Runs of which more may come: they go on, or failed and nobody noted why yet. Till an hour after its last row."""
    noted = {error.run_id for error in errors}
    fresh = {row.run_id for row in (*errors, *failed) if row.timestamp > at - RUN_PATIENCE}
    runs = instance.get_runs(dg.RunsFilter(run_ids=sorted(fresh))) if fresh else []
    return {
        run.run_id
        for run in runs
        if not run.is_finished or (run.status is dg.DagsterRunStatus.FAILURE and run.run_id not in noted)
    }


def _recalled(cursor: str | None, after: datetime) -> dict[str, dict[str, str]]:
    """Channel -> cause -> when it was sent, but for what is forgotten."""
    kept: dict[str, dict[str, str]] = json.loads(cursor) if cursor else {}
    return {
        name: {cause: sent for cause, sent in told.items() if datetime.fromisoformat(sent) > after}
        for name, told in kept.items()
    }
