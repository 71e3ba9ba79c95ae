"""What a step tells of each day: its materialization with figures and samples, and a verdict for each check.

Dagster hears of it for the UI, the lake's journal for good.
"""

import json
import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cached_property
from statistics import mean
from typing import Any

import dagster as dg

from medallion_assets.contracts.table import Table
from medallion_assets.lakehouse.control import run_log
from medallion_assets.lakehouse.control.small_table import now
from medallion_assets.lakehouse.storage import transaction_log
from medallion_assets.lakehouse.storage.lake import Lake
from medallion_assets.orchestration.assets import partition_events
from medallion_assets.orchestration.assets.checks import checks_of
from medallion_assets.orchestration.assets.previews import previews
from medallion_assets.orchestration.assets.specs import key_of
from medallion_assets.orchestration.assets.steps import DayReport
from medallion_assets.orchestration.resources import LakehouseResource

PREVIEWED_DAYS = 31
"""A preview costs a small read a day: in a run over more days the last ones get it."""
TREND = timedelta(days=7)
"""A day's rows are compared with the mean of the days before it."""


class Telling:
    """Of a step of one table, which begins now. `context` is that of a step or an op."""

    def __init__(self, context: Any, lakehouse: LakehouseResource, lake: Lake, table: Table):
        self.instance, self.log = context.instance, context.log
        self.lakehouse, self.lake, self.table = lakehouse, lake, table
        self.began, self.before = time.monotonic(), transaction_log.version(lake.root, table.key)

    def events(
        self, reports: Collection[DayReport], writes: bool, checks: Collection[str], rejected: dict[str, str]
    ) -> Iterator[dg.AssetMaterialization | dg.AssetCheckEvaluation]:
        """Day by day, the chosen checks. Days that a blocking check refuses are added to `rejected`."""
        table, key = self.table, key_of(self.table)
        figures = self._figures(reports)
        results: list[run_log.CheckResult] = []
        runs = [figures.skipped(day) for day in sorted(rejected.keys() - figures.rows.keys())]
        for report in sorted(reports, key=lambda report: report.day):
            day = report.day
            runs.append(figures.entry(report))
            if writes and report.published and day not in rejected:
                shown = previews(self.lakehouse, table, day) if day in figures.previewed else {}
                metadata = {**report.metadata, **figures.of(report), **shown}
                yield dg.AssetMaterialization(key, partition=day, metadata=metadata)
            told = [(check, report.verdict(check.name)) for check in checks_of(table) if check.name in checks]
            verdicts = [(check, verdict) for check, verdict in told if verdict is not None]
            if not verdicts:
                continue  # a verdict costs 20 ms to keep, a year of them minutes
            target = partition_events.last_materialization(self.instance, key, day)
            for check, verdict in verdicts:
                if check.blocking and not verdict.passed:
                    rejected[day] = f"{key.to_user_string()} check {check.name}"
                results.append(
                    figures.result(day, check.name, verdict.passed, check.severity.value, verdict.metadata)
                )
                yield partition_events.evaluation(key, day, check, verdict, target)
        self._keep(results)
        self._keep(runs if writes else [])

    def _keep(self, rows: list[Any]) -> None:
        """The data is written: that its journal is not must not turn the step into a failure."""
        try:
            run_log.append(self.lake.root, rows)
        except Exception as error:
            self.log.error(f"{rows[0].KEY} could not be written: {error}")

    def _figures(self, reports: Collection[DayReport]) -> "_Figures":
        root, table = self.lake.root, self.table
        return _Figures(
            table=table,
            lake=self.lake,
            before=self.before,
            after=transaction_log.version(root, table.key),
            seconds=round((time.monotonic() - self.began) / max(len(reports), 1), 3),
            sizes=transaction_log.partition_bytes(root, table.key),
            partitioned=table.partition_column is not None,
            rows={report.day: report.counts["rows_in"] for report in reports},
        )


@dataclass(frozen=True)
class _Figures:
    """What is the same kind of thing for every layer."""

    table: Table
    lake: Lake
    before: int | None
    after: int | None
    seconds: float
    sizes: Mapping[str | None, int]
    partitioned: bool
    rows: Mapping[str, int]

    @property
    def previewed(self) -> Collection[str]:
        return sorted(self.rows)[-PREVIEWED_DAYS:]

    @cached_property
    def usual(self) -> Mapping[str, int]:
        """Day -> the rows that came in, as the run ledger has them."""
        if not self.rows:
            return {}
        first = date.fromisoformat(min(self.rows)) - TREND
        known = run_log.entries_of(self.lake.root, self.table.key, str(first), max(self.rows))
        found = {entry.day: entry.rows_in for entry in known if entry.rows_in is not None}
        return {**found, **self.rows}

    def of(self, report: DayReport) -> dict[str, Any]:
        """Metadata of a day."""
        first = str(date.fromisoformat(report.day) - TREND)
        week = [rows for day, rows in self.usual.items() if first <= day < report.day]
        trend = {"rows_in": self.rows[report.day], "rows_in_week_mean": round(mean(week), 1)} if week else {}
        return {
            "delta_version": self.after or 0,
            "seconds": self.seconds,
            "bytes": self._size(report.day),
            **trend,
        }

    def entry(self, report: DayReport) -> run_log.RunEntry:
        return replace(
            self._run(report.day, report.status),
            bytes=self._size(report.day),
            seconds=self.seconds,
            version_before=self.before,
            version_after=self.after,
            **report.counts,
        )

    def skipped(self, day: str) -> run_log.RunEntry:
        return self._run(day, run_log.SKIPPED)

    def result(
        self, day: str, check: str, passed: bool, severity: str, figures: Mapping[str, Any]
    ) -> run_log.CheckResult:
        told = json.dumps(dict(figures))
        run_id, key = self.lake.run_id, self.table.key
        return run_log.CheckResult(key, day, run_id, check, passed, severity, told, now())

    def _run(self, day: str, status: str) -> run_log.RunEntry:
        table = self.table
        return run_log.RunEntry(table.key, day, self.lake.run_id, status, table.fingerprint, now())

    def _size(self, day: str) -> int:
        return self.sizes.get(day, 0) if self.partitioned else sum(self.sizes.values())
