"""Runs a job of the repository in this process, without Dagster's own log lines."""

import os
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import dagster as dg

from medallion_assets.definitions import defs

# What Dagster puts before the message of an error.
_CLASS = r"^(?:dagster|medallion_assets)\.[\w.]+: "
_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


OnEvent = Callable[[dg.DagsterEvent], object]


@contextmanager
def dagster_instance() -> Iterator[dg.DagsterInstance]:
    """The one that DAGSTER_HOME names (`make` sets it to that of `make dev`), or else one that keeps nothing."""
    if "DAGSTER_HOME" in os.environ:
        Path(os.environ["DAGSTER_HOME"]).mkdir(parents=True, exist_ok=True)
        with dg.DagsterInstance.get() as instance:
            yield instance
    else:
        with dg.DagsterInstance.ephemeral() as instance:
            yield instance


def run(
    instance: dg.DagsterInstance, job: str, first: str, last: str, on_event: OnEvent
) -> dg.ExecuteInProcessResult:
    """One run over the days from `first` to `last`; `on_event` gets each event as it happens."""
    days = {"dagster/asset_partition_range_start": first, "dagster/asset_partition_range_end": last}
    return _run(instance, job, days, {}, on_event)


def run_on_table(
    instance: dg.DagsterInstance, job: str, config: Mapping[str, str], on_event: OnEvent
) -> dg.ExecuteInProcessResult:
    """One run of a job on tables, with the config of its op."""
    return _run(instance, job, {}, {"ops": {f"{job}_table": {"config": config}}}, on_event)


def _run(
    instance: dg.DagsterInstance,
    job: str,
    tags: Mapping[str, str],
    config: Mapping[str, Any],
    on_event: OnEvent,
) -> dg.ExecuteInProcessResult:
    run_id = str(uuid4())
    instance.add_event_listener(run_id, lambda entry: entry.dagster_event and on_event(entry.dagster_event))
    definition = defs.resolve_job_def(job)
    return definition.execute_in_process(
        instance=instance, run_id=run_id, tags=tags, run_config={**_QUIET, **config}, raise_on_error=False
    )


def failures(result: dg.ExecuteInProcessResult) -> list[str]:
    """A line for each step that failed, with the message of its error, or else for the run."""
    errors = [(e.step_key, e.step_failure_data.error) for e in result.all_events if e.is_step_failure]
    if not errors:
        errors = [("the run", e.job_failure_data.error) for e in result.all_events if e.is_job_failure]
    causes = [(step, error.cause if error and error.cause else error) for step, error in errors]
    texts = [(step, error.message.strip() if error else "failed") for step, error in causes]
    return [f"{step}: {re.sub(_CLASS, '', text)}" for step, text in texts]


class StepClock:
    """Prints each step as it ends, with its seconds."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._began: dict[str, float] = {}

    def __call__(self, event: dg.DagsterEvent) -> None:
        step = (event.step_key or "").replace("__", ".")
        if event.event_type is dg.DagsterEventType.STEP_START:
            self._began[step] = time.monotonic()
        if event.event_type in (dg.DagsterEventType.STEP_SUCCESS, dg.DagsterEventType.STEP_FAILURE):
            self.seconds[step] = time.monotonic() - self._began[step]
            word = "" if event.event_type is dg.DagsterEventType.STEP_SUCCESS else "  failed"
            print(f"  {step:<27} {self.seconds[step]:6.1f} s{word}", flush=True)

    def layers(self) -> dict[str, float]:
        """Seconds by layer."""
        totals: dict[str, float] = {}
        for step, seconds in self.seconds.items():
            layer = step.split(".")[0]
            totals[layer] = totals.get(layer, 0.0) + seconds
        return totals


def evaluations(result: dg.ExecuteInProcessResult) -> list[dg.AssetCheckEvaluation]:
    kind = dg.DagsterEventType.ASSET_CHECK_EVALUATION
    return [event.asset_check_evaluation_data for event in result.all_events if event.event_type is kind]
