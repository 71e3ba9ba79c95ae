"""One topic, followed as it grows: each batch goes to bronze and is merged into the silver tables that read it.

What fails is tried again, from where the lake's memory ends. A topic that cannot be read leaves the other topics alone.
"""

import logging
import threading
import time
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import date, timedelta

from medallion_assets.contracts.bronze import BronzeTable, FollowTopic
from medallion_assets.contracts.days import utc_today
from medallion_assets.contracts.silver import SilverTable
from medallion_assets.contracts.table import Table
from medallion_assets.contracts.watermark import SourceOffset
from medallion_assets.lakehouse import bronze, silver
from medallion_assets.lakehouse.control import watermarks
from medallion_assets.lakehouse.control.streams import BEAT
from medallion_assets.lakehouse.monitoring.retryable_errors import is_retryable
from medallion_assets.lakehouse.sources import observe
from medallion_assets.lakehouse.sources.base import SourceError
from medallion_assets.lakehouse.sources.kafka_stream import MicroBatch, streamed
from medallion_assets.lakehouse.storage import transaction_log
from medallion_assets.lakehouse.storage.lake import Lake
from medallion_assets.lakehouse.storage.stored_contract import NewerContract
from medallion_assets.orchestration.assets import steps
from medallion_assets.orchestration.assets.checks import checks_of, verdicts_of
from medallion_assets.orchestration.streaming.progress import Progress
from medallion_assets.orchestration.streaming.reports import Reports, Work

ATTEMPTS = 3
"""So many fail in a row, of what may pass by itself, before people are told."""
LONGEST_WAIT = 60.0
"""Seconds before the next attempt: 1, doubled each time."""

log = logging.getLogger(__name__)


class TopicStream:
    """Follows the topic of a table until it is stopped, or its contract is outdated.

    below: what is kept up to date with it: silver by each tick, gold by others
    """

    def __init__(
        self,
        lake: Lake,
        table: BronzeTable,
        below: Sequence[Table],
        every: float,
        reports: Reports,
        stop: threading.Event,
    ):
        assert isinstance(table.write, FollowTopic)
        self.lake = replace(lake, spark=lake.spark.newSession())  # whose settings a tick changes
        self.table, self.source, self.every = table, table.write, every
        self.silver = [one for one in below if isinstance(one, SilverTable)]
        self.reports, self.stop = reports, stop
        self.progress = Progress(table, below, lake.run_id)
        self.is_outdated = False
        self._tick = threading.Lock()
        self._failures = 0
        self._landed: bronze.Ingested | None = None
        self._told: type[Exception] | None = None

    def run(self) -> None:
        while not self.stop.is_set():
            try:
                self._follow()
            except NewerContract as error:
                log.warning(str(error))
                self.is_outdated = True
                self.stop.set()
            except Exception as error:
                self._failed(error)
        self.progress.stopped()

    def _follow(self) -> None:
        """Until it is stopped; raises what ended the query before."""
        today = utc_today()
        self._merge([str(date.fromisoformat(today) - timedelta(days=1)), today])  # what was left to do
        since = self._held()
        with streamed(self.lake.spark, self.source, since, self.every, self._take) as query:
            log.info(
                f"{self.table.key}: follows {self.source.topic} from {since.value if since else 'its begin'}"
            )
            looked = 0.0
            while query.is_active and not self.stop.wait(0.5):
                if time.monotonic() - looked > BEAT.total_seconds():
                    looked = time.monotonic()
                    self._look()
            with self._tick:
                pass  # it is ended, not cut off
            if query.error or not self.stop.is_set():
                raise query.error or RuntimeError("the query ended")

    def _held(self) -> SourceOffset | None:
        return watermarks.last_offset(self.lake.root, self.table.key)

    def _take(self, batch: MicroBatch) -> None:
        """What is not taken, since the process ends, is read again by the next one."""
        with self._tick:
            if self.stop.is_set():
                return
            began = time.monotonic()
            self._merge([self._land(batch)])
            self.progress.ticked(time.monotonic() - began)
            self._failures, self._told = 0, None

    def _land(self, batch: MicroBatch) -> str:
        """The day that the batch belongs to."""
        began, before = time.monotonic(), transaction_log.version(self.lake.root, self.table.key)
        self._landed = bronze.ingest_batch(self.lake, self.table, batch.pull, self._landed)
        day = self._landed.day
        self.progress.reached(self._held(), batch.end_of_topic, began)
        self.reports.add(
            Work(
                self.lake,
                self.table,
                days=(day,),
                reports=lambda: steps.audit(self.lake, self.table, [day]),
                seconds=time.monotonic() - began,
                before=before,
                rows=self._landed.rows,
                figures=self.progress.figures,
            )
        )
        return day

    def _merge(self, days: Collection[str]) -> None:
        """Brings silver up to date, each table whatever becomes of the others; raises the first error."""
        errors: list[Exception] = []
        for table in self.silver:
            try:
                self._merge_into(table, days)
            except Exception as error:
                errors.append(error)
        if errors:
            raise errors[0]

    def _merge_into(self, table: SilverTable, days: Collection[str]) -> None:
        began, before = time.monotonic(), transaction_log.version(self.lake.root, table.key)
        refreshed = silver.refresh_days(self.lake, table, days)
        found = {day: metrics for day, metrics in refreshed.items() if metrics.has_data}
        told = {day: verdicts_of(checks_of(table), metrics) for day, metrics in found.items()}
        if found:
            self.reports.add(
                Work(
                    self.lake,
                    table,
                    days=tuple(sorted(found)),
                    reports=lambda: steps.silver_reports(self.lake, table, found),
                    seconds=time.monotonic() - began,
                    before=before,
                    verdicts={(day, name): told[day][name].passed for day in told for name in told[day]},
                    figures=self.progress.figures,
                )
            )

    def _look(self) -> None:
        """How far the topic is ahead, also while a tick takes long."""
        at, held = time.monotonic(), self._held()
        try:
            ends = observe(self.source, held)
        except SourceError:  # the query will say so, if it does not pass
            ends = None
        self.progress.reached(held, ends, at)
        if self.progress.row.lag_messages == 0:  # nothing is left that could fail
            self.progress.failed("")
            self._failures, self._told = 0, None

    def _failed(self, error: Exception) -> None:
        """Waits before the next attempt. What does not pass by itself is told, once."""
        self._failures += 1
        text = f"{self.table.key}: {str(error).strip() or type(error).__name__}"
        line, wait = text.partition("\n")[0], min(2.0 ** min(self._failures - 1, 10), LONGEST_WAIT)
        self.progress.failed(line)
        log.warning(f"{line}; the next attempt follows in {wait:.0f} s")
        if self._told is not type(error) and (not is_retryable(error) or self._failures >= ATTEMPTS):
            self._told = type(error)
            self.reports.failed(self.lake, self.table, error, utc_today(), self._failures)
        self.stop.wait(wait)
