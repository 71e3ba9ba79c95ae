"""What a stream tells of its tables: to Dagster and the run log, once a minute and when a verdict changes.

A tick takes seconds, and a report has dozens of events and two commits: told each time, it would cost more than the
work.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import dagster as dg

from medallion_assets.contracts.silver import SilverTable
from medallion_assets.contracts.table import Table
from medallion_assets.lakehouse.control.run_log import record_error
from medallion_assets.lakehouse.control.small_table import now
from medallion_assets.lakehouse.storage.lake import Lake
from medallion_assets.orchestration.assets import partition_events
from medallion_assets.orchestration.assets.checks import checks_of
from medallion_assets.orchestration.assets.open_days import find_open_days
from medallion_assets.orchestration.assets.reporting import Reporter
from medallion_assets.orchestration.assets.run_metrics import Start
from medallion_assets.orchestration.assets.steps import DayReport
from medallion_assets.orchestration.failures import as_row
from medallion_assets.orchestration.resources import LakehouseResource

EVERY = 60.0
"""Seconds between two reports of a table whose verdicts stay the same."""

Passed = Mapping[tuple[str, str], bool]
"""(day, check) -> whether it passed."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Work:
    """What a tick did to some days of a table.

    reports: makes the report of each day, which need not be made of every tick
    seconds: that the work took; before: the table's version until then
    verdicts: as far as they are known without the reports
    rows: how many came in; figures: numbers for the days' metadata
    """

    lake: Lake
    table: Table
    days: tuple[str, ...]
    reports: Callable[[], list[DayReport]]
    seconds: float
    before: int | None
    verdicts: Passed = field(default_factory=dict[tuple[str, str], bool])
    rows: int = 0
    figures: Mapping[str, int | float] = field(default_factory=dict[str, int | float])


class Reports:
    """Threads that work add to it; one thread tells."""

    def __init__(self, instance: dg.DagsterInstance, lakehouse: LakehouseResource):
        self.instance, self.lakehouse, self.log = instance, lakehouse, log
        self._adding = threading.Lock()
        self._untold: dict[tuple[str, tuple[str, ...]], Work] = {}
        self._told_at: dict[str, float] = {}
        self._told: dict[str, Passed] = {}

    def add(self, work: Work) -> None:
        at = (work.table.key, work.days)
        with self._adding:
            self._told_at.setdefault(work.table.key, time.monotonic() - work.seconds)
            rows = work.rows + (self._untold[at].rows if at in self._untold else 0)
            self._untold[at] = replace(work, rows=rows)

    def failed(self, lake: Lake, table: Table, error: Exception, day: str = "", attempt: int = 1) -> None:
        """Keeps an error in the run log, from which people are alerted: a row for each time that something broke."""
        at = now()
        row = as_row(error, "stream", table.key, day, f"{lake.run_id}-{at:%Y%m%dT%H%M%S}", at, attempt)
        try:
            record_error(lake.root, row)
        except Exception as unrecorded:  # such as a full disk
            log.error(f"{row.KEY} could not be written: {unrecorded}")

    def tell(self, *, everything: bool = False) -> None:
        """What is due. What cannot be stored is logged: the data is written."""
        with self._adding:
            due = {at: work for at, work in self._untold.items() if everything or self._is_due(work)}
            self._untold = {at: work for at, work in self._untold.items() if at not in due}
        for work in due.values():
            try:
                self._tell(work)
            except Exception as error:
                log.error(f"{work.table.key}: its report could not be stored: {error}")

    def _is_due(self, work: Work) -> bool:
        key = work.table.key
        known = self._told.get(key)
        is_news = known is None or any(known.get(at, True) != passed for at, passed in work.verdicts.items())
        return is_news or time.monotonic() - self._told_at[key] >= EVERY

    def _tell(self, work: Work) -> None:
        key, at = work.table.key, time.monotonic()
        rate = {"messages_per_second": round(work.rows / (at - self._told_at[key]), 2)} if work.rows else {}
        figures = {**work.figures, **rate}
        reports = [replace(report, metadata={**report.metadata, **figures}) for report in work.reports()]
        start = Start(work.before, at - work.seconds)
        reporter = Reporter(self, self.lakehouse, work.lake, work.table, start)
        for event in reporter.run_events(reports, checks_of(work.table), {}):
            partition_events.store_without_run(self.instance, event)
        if isinstance(work.table, SilverTable):
            open_days = find_open_days(self.instance, work.lake.root, work.table)
            partition_events.store_without_run(self.instance, open_days.as_evaluation(work.table))
        told = {(report.day, name): v.passed for report in reports for name, v in report.verdicts.items()}
        self._told[key], self._told_at[key] = told, at
        log.info(f"{key}: " + ", ".join(f"{name} {value}" for name, value in _shown(reports, figures)))


def _shown(
    reports: list[DayReport], figures: Mapping[str, int | float]
) -> list[tuple[str, int | float | str]]:
    statuses = [(report.day, report.status) for report in reports]
    return [*statuses, ("rows_in", sum(report.counts["rows_in"] for report in reports)), *figures.items()]
