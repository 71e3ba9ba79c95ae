"""A run of this repository, in Dagster, with its checks and with the history that users have."""

from collections.abc import Callable
from dataclasses import replace
from uuid import uuid4

import dagster as dg

from benchmarks.cases import Load
from benchmarks.data import day
from benchmarks.places import Places
from benchmarks.probe import Probe
from medallion_assets.commands.job_runner import dagster_instance, failures
from medallion_assets.contracts.silver import SilverTable
from medallion_assets.definitions import defs, repository
from medallion_assets.lakehouse.spark import session
from medallion_assets.tables import find_tables

_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


class Ours:
    """With rules and checks."""

    def __init__(self, places: Places, layers: tuple[str, ...]):
        self.layers = layers
        self.spark = session.start()

    @property
    def jobs_started(self) -> Callable[[], int]:
        return lambda: session.jobs_started(self.spark)

    def load(self, load: Load, probe: Probe) -> None:
        days = {
            "dagster/asset_partition_range_start": day(load.first),
            "dagster/asset_partition_range_end": day(load.first + load.days - 1),
        }
        run_id = str(uuid4())
        with dagster_instance() as instance:
            instance.add_event_listener(
                run_id, lambda entry: entry.dagster_event and watch(probe, entry.dagster_event)
            )
            result = self.job(load.job).execute_in_process(
                instance=instance, run_id=run_id, tags=days, run_config=_QUIET, raise_on_error=False
            )
        if not result.success:
            raise RuntimeError("the run failed:\n" + "\n".join(failures(result)))

    def job(self, name: str) -> dg.JobDefinition:
        job = defs.resolve_job_def(name)
        if "gold" in self.layers:
            return job
        keys = [key.split("/") for key in find_tables()]
        return job.get_subset(asset_selection={dg.AssetKey(key) for key in keys if key[0] in self.layers})


class OursWithoutRules(Ours):
    """The same contracts with no rules, in a job without checks."""

    def job(self, name: str) -> dg.JobDefinition:
        tables = {
            key: replace(table, rules=(), quarantine_limit=1.0) if isinstance(table, SilverTable) else table
            for key, table in find_tables().items()
        }
        job = dg.define_asset_job("unchecked", dg.AssetSelection.all().without_checks())
        return dg.Definitions.merge(repository(tables), dg.Definitions(jobs=[job])).resolve_job_def(
            "unchecked"
        )


def watch(probe: Probe, event: dg.DagsterEvent) -> None:
    """Counts the event, and what its step costs from its start to its end."""
    step = (event.step_key or "the run").replace("__", ".")
    probe.event(step)
    if event.event_type is dg.DagsterEventType.STEP_START:
        probe.begin(step)
    if event.event_type in (dg.DagsterEventType.STEP_SUCCESS, dg.DagsterEventType.STEP_FAILURE):
        probe.end(step)
