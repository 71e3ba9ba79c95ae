"""What `make doctor` says of Dagster: where its history is, pools, open runs and sensors."""

import os
from collections.abc import Iterable
from datetime import timedelta

import dagster as dg

from medallion_assets.commands.doctor_line import Line, age_of, span
from medallion_assets.commands.job_runner import dagster_instance
from medallion_assets.definitions import defs

DAY = timedelta(days=1)
SENSOR_SILENCE = timedelta(minutes=10)  # a sensor that is on ticks every 15 seconds
_RUNNING = [dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]


def dagster_home() -> Iterable[Line]:
    home = os.environ.get("DAGSTER_HOME", "")
    yield Line("DAGSTER_HOME", home or "not set", "" if home else "use `make`, or set it: no run is kept")
    if home:
        with dagster_instance() as instance:
            yield from (*pools(instance), *open_runs(instance), *sensors(instance))


def pools(instance: dg.DagsterInstance) -> Iterable[Line]:
    """A table's only writer holds the slot of its pool; a slot that a dead run holds blocks all other runs."""
    store = instance.event_log_storage
    names = {limit.name for limit in store.get_pool_limits()} | set(store.get_concurrency_keys())
    held = [(name, run) for name in sorted(names) for run in store.get_concurrency_info(name).active_run_ids]
    for name, run in held:
        holder = instance.get_run_by_id(run)
        ended = holder is None or holder.is_finished
        todo = "free it in the UI (Deployment, Concurrency); `make dev` does after a minute" if ended else ""
        state = "has ended" if ended else "is running"
        yield Line(f"pool {name}", f"held by run {run[:8]}, which {state}", todo)
    yield Line("pools", f"{len(names)} known, {len(held)} in use")


def open_runs(instance: dg.DagsterInstance) -> Iterable[Line]:
    """Runs and their age; the limit is the instance's max_runtime_seconds, or else a day."""
    limit = timedelta(seconds=instance.run_monitoring_max_runtime_seconds) or DAY
    records = instance.get_run_records(dg.RunsFilter(statuses=_RUNNING))
    began = {r.dagster_run.run_id: r.start_time or r.create_timestamp.timestamp() for r in records}
    for run, age in ((run, age_of(moment)) for run, moment in began.items()):
        todo = "terminate it in the UI: its process may be gone" if age > limit else ""
        yield Line(f"run {run[:8]}", f"running for {span(age)}, the limit is {span(limit)}", todo)


def sensors(instance: dg.DagsterInstance) -> Iterable[Line]:
    states = instance.all_instigator_state()
    for name in sorted(sensor.name for sensor in defs.get_repository_def().sensor_defs):
        ids = [(s.instigator_origin_id, s.selector_id) for s in states if s.instigator_name == name]
        ticks = [tick for one in ids for tick in instance.get_ticks(*one, limit=1)]
        if not ticks:
            yield Line(f"sensor {name}", "has not been on; `make dev` turns it on")
            continue
        last = max(ticks, key=lambda tick: tick.timestamp)
        age = age_of(last.timestamp)
        todo = "start `make dev`, or turn it on" if age > SENSOR_SILENCE else ""
        todo = "read its error in the UI (Automation)" if last.is_failure else todo
        yield Line(f"sensor {name}", f"{last.status.value} {span(age)} ago", todo)
