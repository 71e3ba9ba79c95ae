"""The sensor `alerts`: one message for each run that failed, table that is late and sensor that has stopped; and one
for what has come right again. No JVM.

Dagster's own sensor of failed runs does not see a failed check that did not block, a process that was killed before it
recorded anything, or a sensor that fails. These are read from the run log and the instance.
"""

import json
from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta
from typing import TypeVar

import dagster as dg

from medallion_assets.contracts.table import Table
from medallion_assets.lakehouse.control.run_log import CheckResult, PipelineError, RunEntry, since
from medallion_assets.lakehouse.control.small_table import now
from medallion_assets.lakehouse.control.streams import silent_streams
from medallion_assets.lakehouse.monitoring.freshness import late_tables
from medallion_assets.orchestration.alerting.channels import AlertSettings
from medallion_assets.orchestration.alerting.failed_runs import failed_runs_sensor
from medallion_assets.orchestration.alerting.incidents import Incident, incidents
from medallion_assets.orchestration.alerting.recoveries import situation_of
from medallion_assets.orchestration.alerting.sensor_health import ALERTS, broken_sensors
from medallion_assets.orchestration.assets.on_time import tell_on_time
from medallion_assets.orchestration.resources import LakehouseResource
from medallion_assets.orchestration.settings import SENSOR_STATUS

MEMORY = timedelta(hours=24)
"""No cause is sent twice within this time, and older rows of the run log are ignored."""
RUN_PATIENCE = timedelta(hours=1)
"""One message for each finished run; a run that is still open after this time is reported, too."""

_DESCRIPTION = (
    "Alerts Slack, a webhook or the log to failures, late tables, dead streams and stopped sensors; each once "
    "a day; and to what has come right again."
)
_Found = TypeVar("_Found")


def build_alert_sensors(tables: Mapping[str, Table]) -> list[dg.SensorDefinition]:
    return [failed_runs_sensor(), _alerts(tables.values())]


def _alerts(tables: Collection[Table]) -> dg.SensorDefinition:
    @dg.sensor(  # pyright: ignore[reportUnknownMemberType]
        name=ALERTS, description=_DESCRIPTION, minimum_interval_seconds=30, default_status=SENSOR_STATUS
    )
    def sensor(
        context: dg.SensorEvaluationContext, lakehouse: LakehouseResource, alert_settings: AlertSettings
    ) -> dg.SensorResult:
        at = now()
        sent = _remembered(context.cursor, at - MEMORY)
        found, is_over, notes = _look(
            context, lakehouse.lake_root, tables, alert_settings.minimum_severity, at
        )
        for channel in alert_settings.channels(context.log):
            sent_there = sent.setdefault(channel.name, {})
            notes.append(channel.deliver(found, is_over, alert_settings.ui_url, sent_there))
        status = "; ".join(note for note in notes if note) or "No alerts are waiting."
        return dg.SensorResult(skip_reason=status, cursor=json.dumps(sent))

    return sensor


def _look(
    context: dg.SensorEvaluationContext, root: str, tables: Collection[Table], minimum: str, at: datetime
) -> tuple[list[Incident], Callable[[str], bool], list[str]]:
    """The incidents of the last day; whether a cause is over; and what could not be read, which stops nothing else."""
    notes: list[str] = []

    def read(what: str, of: Callable[[], _Found], nothing: _Found) -> _Found:
        try:
            return of()
        except Exception as error:
            why = str(error).partition("\n")[0][:300]
            notes.append(f"{what} cannot be read: {type(error).__name__}: {why}")
            return nothing

    errors = read(PipelineError.KEY, lambda: since(root, PipelineError, at - MEMORY), [])
    checks = read(CheckResult.KEY, lambda: since(root, CheckResult, at - MEMORY), [])
    entries = read(RunEntry.KEY, lambda: since(root, RunEntry, at - MEMORY) if errors else [], [])
    late = read("the run ledger of late tables", lambda: late_tables(root, tables, at), {})
    read("the checks of late tables", lambda: tell_on_time(context.instance, tables, late), None)
    silent = read("the streams", lambda: silent_streams(root, at), {})
    broken = read("the sensors", lambda: broken_sensors(context), {})
    states = {f"late {key}": text for key, text in late.items()}
    states |= {f"stream {key}": text for key, text in silent.items()}
    states |= {f"sensor {name} {text}": f"sensor {name} {text}" for name, text in broken.items()}
    open_runs = _open_runs(context.instance, errors, [check for check in checks if not check.passed], at)
    ended = [error for error in errors if error.run_id not in open_runs]
    told = [check for check in checks if check.run_id not in open_runs]
    situation = situation_of(ended, told, entries, states)
    found = incidents(situation.errors, situation.failed, states, minimum)
    return found, situation.is_over if not notes else lambda cause: False, notes


def _open_runs(
    instance: dg.DagsterInstance, errors: list[PipelineError], failed: list[CheckResult], at: datetime
) -> set[str]:
    """Runs with a recent row that may get more: they are not finished, or failed and nobody has recorded why yet."""
    recorded = {error.run_id for error in errors}
    recent = {row.run_id for row in (*errors, *failed) if row.timestamp > at - RUN_PATIENCE}
    if not recent:
        return set()
    return {
        run.run_id
        for run in instance.get_runs(dg.RunsFilter(run_ids=sorted(recent)))
        if not run.is_finished or (run.status is dg.DagsterRunStatus.FAILURE and run.run_id not in recorded)
    }


def _remembered(cursor: str | None, after: datetime) -> dict[str, dict[str, str]]:
    """Channel -> cause -> when it was sent, of those sent after this time."""
    channels: dict[str, dict[str, str]] = json.loads(cursor) if cursor else {}
    return {
        name: {cause: at for cause, at in sent.items() if datetime.fromisoformat(at) > after}
        for name, sent in channels.items()
    }
