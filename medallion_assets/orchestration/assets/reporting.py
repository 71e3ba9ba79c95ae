"""The report of a step, day by day: a materialization with metrics and previews, and the verdict of each check.

Dagster gets it as events, for the UI; the lake's run log keeps it for good.
"""

import json
import logging
import time
from collections.abc import Collection, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

import dagster as dg

from medallion_assets.contracts.checks import Check, Verdict
from medallion_assets.contracts.silver import SilverTable
from medallion_assets.contracts.table import Table
from medallion_assets.lakehouse.control import run_log
from medallion_assets.lakehouse.control.small_table import now
from medallion_assets.lakehouse.storage import transaction_log
from medallion_assets.lakehouse.storage.lake import Lake
from medallion_assets.orchestration.assets import partition_events
from medallion_assets.orchestration.assets.checks import first_rejection
from medallion_assets.orchestration.assets.data_versions import inputs_now
from medallion_assets.orchestration.assets.previews import broken_rows, previews
from medallion_assets.orchestration.assets.run_metrics import RunMetrics, Start, measured
from medallion_assets.orchestration.assets.specs import key_of
from medallion_assets.orchestration.assets.steps import DayReport
from medallion_assets.orchestration.event_log import Event, stored_at_once
from medallion_assets.orchestration.resources import LakehouseResource

PREVIEWED_DAYS = 31
"""A preview costs a small read a day: in a run over more days the last ones get it."""

Checks = Sequence[Check[Any]]
DayEvents = dg.AssetMaterialization | dg.AssetObservation | dg.AssetCheckEvaluation


class Teller(Protocol):
    """Who reports: a run's step, or a stream."""

    @property
    def instance(self) -> dg.DagsterInstance: ...

    @property
    def log(self) -> logging.Logger: ...


class Reporter:
    """Reports a step of one table, which begins when the reporter is made, unless `start` says when it did."""

    def __init__(
        self,
        context: Teller,
        lakehouse: LakehouseResource,
        lake: Lake,
        table: Table,
        start: Start | None = None,
    ):
        self.context, self.lakehouse, self.lake, self.table = context, lakehouse, lake, table
        self.start = start or Start(transaction_log.version(lake.root, table.key))
        self.inputs = inputs_now(context.instance, table)

    def run_events(
        self, reports: Collection[DayReport], checks: Checks, rejected: Mapping[str, str]
    ) -> Generator[DayEvents, None, dict[str, str]]:
        """Of a step that wrote: the published days and the verdicts of these checks.

        rejected: day -> the check that rejected it in an input; returned with the days that one of `checks` rejects
        """
        reports = self._with_cleared(sorted(reports, key=lambda report: report.day), checks)
        metrics = measured(self.lake, self.table, self.start, reports)
        skipped = [metrics.skipped(day) for day in sorted(rejected.keys() - metrics.rows.keys())]
        entries = skipped + [metrics.entry(report) for report in reports]
        published = [report for report in reports if report.published and report.day not in rejected]
        refused = self._rejected(reports, checks)
        yield from self._stored(self._materializations(published, metrics))
        yield from self._verdicts(reports, checks)
        yield from self._stored(self._observations(reports, refused, rejected))
        self._keep(entries)
        return {**rejected, **refused}

    def summary(self, reports: Collection[DayReport]) -> str:
        """One line: `silver/orders: 3 days, 12,435 rows, 2,551 in quarantine, 4.6 s`."""
        days = "1 day" if len(reports) == 1 else f"{len(reports)} days"
        rows = sum(report.counts["rows_in"] for report in reports)
        quarantined = sum(report.counts.get("quarantined", 0) for report in reports)
        held = [f"{quarantined:,} in quarantine"] if quarantined else []
        seconds = f"{time.monotonic() - self.start.seconds:.1f} s"
        return f"{self.table.key}: {', '.join([days, f'{rows:,} rows', *held, seconds])}"

    def audit_events(
        self, reports: Collection[DayReport], checks: Checks
    ) -> Generator[dg.AssetCheckEvaluation, None, None]:
        """Of a step that wrote nothing: the verdicts of these checks."""
        yield from self._verdicts(sorted(reports, key=lambda report: report.day), checks)

    def _with_cleared(self, reports: Sequence[DayReport], checks: Checks) -> list[DayReport]:
        """A day that failed before passes what there is nothing to say about any more, as when it has no data now."""
        days = [report.day for report in reports]
        failed = partition_events.ever_failed(self.context.instance, key_of(self.table), days)

        def cleared(report: DayReport) -> DayReport:
            why = {"status": report.status, "told_with": days[-1]}
            passes = {check.name: Verdict(True, why) for check in checks}
            return replace(report, verdicts={**passes, **report.verdicts})

        return [cleared(report) if report.day in failed else report for report in reports]

    def _materializations(
        self, reports: Sequence[DayReport], metrics: RunMetrics
    ) -> Iterator[dg.AssetMaterialization]:
        previewed = sorted(metrics.rows)[-PREVIEWED_DAYS:]
        tags = self.inputs.tags({report.day: metrics.data_version(report) for report in reports})
        for report in reports:
            shown = previews(self.lakehouse, self.table, report.day) if report.day in previewed else {}
            metadata = {"status": report.status, **report.metadata, **metrics.metadata(report.day), **shown}
            yield dg.AssetMaterialization(
                key_of(self.table), partition=report.day, metadata=metadata, tags=tags[report.day]
            )

    def _observations(
        self, reports: Sequence[DayReport], refused: Mapping[str, str], upstream: Mapping[str, str]
    ) -> Iterator[dg.AssetObservation]:
        """What the page of a day says that was not published."""
        for report in (report for report in reports if report.day in refused):
            told = {"status": run_log.BLOCKED, "reason": refused[report.day], **report.metadata}
            shown = previews(self.lakehouse, self.table, report.day)
            yield self._observation(report.day, told | shown)
        for day in sorted(upstream.keys() - refused.keys()):
            yield self._observation(day, {"status": run_log.SKIPPED, "reason": upstream[day]})

    def _observation(self, day: str, metadata: Mapping[str, Any]) -> dg.AssetObservation:
        return dg.AssetObservation(
            key_of(self.table), description=str(metadata["reason"]), partition=day, metadata=metadata
        )

    def _verdicts(self, reports: Sequence[DayReport], checks: Checks) -> Iterator[dg.AssetCheckEvaluation]:
        """They refer to the materializations, which are stored before."""
        chosen = {report.day: told for report in reports if (told := _chosen(report, checks))}
        key = key_of(self.table)
        last = partition_events.last_materializations(self.context.instance, key, chosen)
        shown = set(sorted(chosen)[-PREVIEWED_DAYS:])
        yield from self._stored(
            partition_events.evaluation(
                key, day, check, verdict, last.get(day), self._examples(check, verdict, day, day in shown)
            )
            for day, told in chosen.items()
            for check, verdict in told
        )
        self._keep([self._result(day, *one) for day, told in chosen.items() for one in told])

    def _examples(self, check: Check[Any], verdict: Verdict, day: str, has_rows: bool) -> dict[str, Any]:
        """Of a rule that rows broke: some of them, and the query that gives all."""
        if verdict.passed or not isinstance(self.table, SilverTable):
            return {}
        return broken_rows(self.lakehouse, self.table, check.name, day, has_rows=has_rows)

    def _stored(self, events: Iterable[Event]) -> Iterator[Event]:
        return stored_at_once(self.context.instance, events)

    def _rejected(self, reports: Collection[DayReport], checks: Checks) -> dict[str, str]:
        """Day -> the check that rejects it, and why."""
        found = [(report, first_rejection(checks, report.verdicts)) for report in reports]
        return {
            report.day: ": ".join(filter(None, (f"{self.table.key} {check}", report.reason)))
            for report, check in found
            if check
        }

    def _result(self, day: str, check: Check[Any], verdict: Verdict) -> run_log.CheckResult:
        return run_log.CheckResult(
            asset=self.table.key,
            day=day,
            run_id=self.lake.run_id,
            check_name=check.name,
            passed=verdict.passed,
            severity=check.severity,
            figures=json.dumps(dict(verdict.metadata)),
            timestamp=now(),
        )

    def _keep(self, rows: Sequence[run_log.Row]) -> None:
        """The data is written: a log that cannot be must not turn the step into a failure."""
        try:
            run_log.append(self.lake.root, rows)
        except Exception as error:
            self.context.log.error(f"{rows[0].KEY} could not be written: {error}")


def _chosen(report: DayReport, checks: Checks) -> list[tuple[Check[Any], Verdict]]:
    return [(check, report.verdicts[check.name]) for check in checks if check.name in report.verdicts]
