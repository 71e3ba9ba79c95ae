"""A table becomes a daily asset, with its checks in the same step.

A step names what it does (which days, the layer's work, the report); the work is in `lakehouse`, the reports of each
layer in `steps`.
"""

from collections.abc import Collection, Generator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import dagster as dg

from medallion_assets.contracts.checks import Check
from medallion_assets.contracts.silver import SilverTable
from medallion_assets.contracts.table import Table, descendants
from medallion_assets.lakehouse.control.run_log import NO_DATA
from medallion_assets.orchestration.assets import partition_events, steps
from medallion_assets.orchestration.assets.checks import blocking_checks, checks_of
from medallion_assets.orchestration.assets.on_time import build_on_time
from medallion_assets.orchestration.assets.open_days import build_open_days, open_days_step
from medallion_assets.orchestration.assets.reporting import DayEvents, Reporter
from medallion_assets.orchestration.assets.specs import asset_spec, key_of, step_name
from medallion_assets.orchestration.event_log import stored_at_once
from medallion_assets.orchestration.failures import RejectedPartitions, RetrySettings, handled
from medallion_assets.orchestration.partitions import CALENDAR
from medallion_assets.orchestration.resources import LakehouseResource, SparkResource

StepEvents = Generator[DayEvents | dg.Output[None], None, None]


def build_assets(tables: Mapping[str, Table]) -> list[dg.AssetsDefinition]:
    """One asset a table; beside each silver table a check whose step fails the run when a day was rejected.

    Where another layer rejects a day, the run's last assets do so. A table that says when a day is due has a check
    of that.
    """
    assets = [build_asset(table, descendants(table, tables.values())) for table in tables.values()]
    open_days = [build_open_days(table) for table in tables.values() if isinstance(table, SilverTable)]
    return [
        *assets,
        *open_days,
        *(build_on_time(table) for table in tables.values() if table.due is not None),
    ]


def build_asset(table: Table, descendants: Collection[Table]) -> dg.AssetsDefinition:
    later_steps = frozenset(step_name(table.key) for table in descendants)

    @dg.multi_asset(
        name=step_name(table.key),
        specs=[asset_spec(table)],
        check_specs=[_check_spec(table, check) for check in checks_of(table)],
        can_subset=True,
        partitions_def=CALENDAR,
        backfill_policy=dg.BackfillPolicy.single_run(),
        pool=step_name(table.key),
    )
    def step(
        context: dg.AssetExecutionContext,
        spark: SparkResource,
        lakehouse: LakehouseResource,
        retries: RetrySettings,
    ) -> StepEvents:
        this = _Step(table, context, spark, lakehouse, retries, later_steps)
        yield from this.run() if key_of(table) in context.selected_asset_keys else this.audit()

    return step


@dataclass(frozen=True)
class _Step:
    """One execution of the step of a table. later_steps: those of the tables that are made of it, in any run."""

    table: Table
    context: dg.AssetExecutionContext
    spark: SparkResource
    lakehouse: LakehouseResource
    retries: RetrySettings
    later_steps: frozenset[str]

    def run(self) -> StepEvents:
        """Writes the days that no input holds back. RejectedPartitions where a day is and no later step can say so."""
        table, days = self.table, self.context.partition_keys
        with handled(
            self.context, self.lakehouse.lake_root, self.retries, table.key, table.fingerprint, days
        ):
            self.lakehouse.before_run(table, self.spark.master)
            checks = blocking_checks(table.ancestors)
            upstream = partition_events.rejected_days(self.context.instance, checks, days)
            reporter = self._reporter()
            reports = steps.run(reporter.lake, table, [day for day in days if day not in upstream])
            rejected = yield from reporter.run_events(reports, self.checks, upstream)
            self.context.log.info(reporter.summary(reports))
            for day in sorted(rejected.keys() - upstream.keys()):
                self.context.log.warning(f"{day} was not published: {rejected[day]}")
            done = {report.day for report in reports if report.status != NO_DATA}
            idle = [day for day in days if day not in done]
            partition_events.withdraw(
                self.context.instance, self.context.run.run_id, key_of(table), idle, days
            )
            yield from self._outputs(key_of(table))
            if untold := self._untold(rejected):
                raise RejectedPartitions(untold)

    def audit(self) -> StepEvents:
        """Evaluates the checks of the days and writes nothing."""
        days = self._audited_days()
        with handled(self.context, self.lakehouse.lake_root, self.retries, self.table.key, days=days):
            reporter = self._reporter()
            yield from reporter.audit_events(steps.audit(reporter.lake, self.table, days), self.checks)
            yield from self._outputs(None)

    @cached_property
    def checks(self) -> list[Check[Any]]:
        """Those that the run selects."""
        selected = {key.name for key in self.context.selected_asset_check_keys}
        return [check for check in checks_of(self.table) if check.name in selected]

    def _untold(self, rejected: Mapping[str, str]) -> dict[str, str]:
        """The rejected days that no other step of the run tells: a later one, or one of open days."""
        names = {node.name for node in self.context.job_def.nodes}
        if not self.later_steps.isdisjoint(names):
            return {}
        return {day: why for day, why in rejected.items() if open_days_step(why.split(" ")[0]) not in names}

    def _audited_days(self) -> Collection[str]:
        """A run of checks that names no days (the UI's Execute all) means every materialized day."""
        context = self.context
        if context.has_partition_key or context.has_partition_key_range:
            return context.partition_keys
        return sorted(context.instance.get_materialized_partitions(key_of(self.table)))

    def _reporter(self) -> Reporter:
        lake = self.lakehouse.start(self.spark, self.context.run.run_id)
        return Reporter(self.context, self.lakehouse, lake, self.table)

    def _outputs(self, materialized: dg.AssetKey | None) -> StepEvents:
        specs = [_check_spec(self.table, check) for check in self.checks]
        outputs = partition_events.closing_outputs(specs, materialized)
        yield from stored_at_once(self.context.instance, outputs)


def _check_spec(table: Table, check: Check[Any]) -> dg.AssetCheckSpec:
    return dg.AssetCheckSpec(
        check.name,
        asset=key_of(table),
        description=check.description,
        blocking=check.blocking,
        partitions_def=CALENDAR,
    )
