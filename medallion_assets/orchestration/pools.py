"""One writer per table: how a step waits for its table's pool, which another run holds.

Dagster waits without end, asks as fast as it can and hears no interrupt; and a run that was killed keeps its slot until
a daemon finds out. Here a step sleeps between two questions, says what it waits for, takes the slot of a run whose
process is gone, and gives up in the end.
"""

import logging
import socket
import time
from collections.abc import Mapping

import dagster as dg
from dagster._core.execution.plan.instance_concurrency_context import InstanceConcurrencyContext
from dagster._core.executor import in_process
from typing_extensions import Self

from medallion_assets.errors import MedallionError
from medallion_assets.lakehouse.spark.process import is_gone, this_process

PROCESS = "medallion/process"
"""The tag of a run that says where it runs: the machine and the process."""
SECONDS = 1.0
SAID_EVERY = 300.0
LIMIT = 1800.0
"""Seconds between two questions, between two lines about what is waited for, and until a step gives up."""

_log = logging.getLogger(__name__)


class PoolTaken(MedallionError):
    """Another run has held the table's pool for too long."""


class PatientClaims(InstanceConcurrencyContext):
    """Dagster's claims of pool slots for one run, with a wait that ends."""

    def __init__(self, instance: dg.DagsterInstance, dagster_run: dg.DagsterRun):
        super().__init__(instance, dagster_run)
        self._waiting_since: dict[str, float] = {}
        self._said: dict[str, float] = {}

    def __enter__(self) -> Self:
        self._instance.add_run_tags(self._run_id, {PROCESS: f"{socket.gethostname()} {this_process()}"})
        return super().__enter__()

    def claim(self, concurrency_key: str, step_key: str, step_priority: int = 0) -> bool:
        """Whether the step may start. PoolTaken after half an hour."""
        if super().claim(concurrency_key, step_key, step_priority):
            return True
        pool = self._instance.event_log_storage.get_concurrency_info(concurrency_key)
        before_us = pool.active_run_ids | pool.assigned_run_ids
        freed = [run_id for run_id in before_us | pool.pending_run_ids if _freed(self._instance, run_id)]
        if holders := before_us - {self._run_id, *freed}:
            self._say(concurrency_key, step_key, ", ".join(sorted(holders)))
        with dg.raise_execution_interrupts():
            time.sleep(SECONDS)
        return False

    def _say(self, pool: str, step: str, holders: str) -> None:
        now = time.monotonic()
        waited = now - self._waiting_since.setdefault(step, now)
        if waited > LIMIT:
            raise PoolTaken(
                f"{step} has waited {waited / 60:.0f} minutes for the pool {pool}, which is held by run {holders}: "
                "run this again once that one has ended; if its process is gone, terminate it in the UI (Runs), "
                "and free the pool there (Deployment, Concurrency)"
            )
        if now - self._said.get(step, -SAID_EVERY) >= SAID_EVERY:
            self._said[step] = now
            _log.warning(f"{step} waits for the pool {pool}, which is held by run {holders}.")


def is_dead(tags: Mapping[str, str]) -> bool:
    """Whether the run with these tags ran on this machine, in a process that is gone."""
    host, _, process = tags.get(PROCESS, "").partition(" ")
    return host == socket.gethostname() and is_gone(process)


def _freed(instance: dg.DagsterInstance, run_id: str) -> bool:
    """Takes the slots of a run that has ended, or whose process is gone: that one is marked as failed."""
    run = instance.get_run_by_id(run_id)
    if run is not None and not run.is_finished:
        if not is_dead(run.tags):
            return False
        instance.report_run_failed(run, f"Its process is gone: {run.tags[PROCESS]}.")
    _log.warning(f"Took back the pools of run {run_id}, which has ended.")
    instance.event_log_storage.free_concurrency_slots_for_run(run_id)
    return True


def install() -> None:
    """For all runs in this process. Dagster has no setting for it, and its version is pinned."""
    in_process.InstanceConcurrencyContext = PatientClaims  # pyright: ignore[reportPrivateImportUsage]
