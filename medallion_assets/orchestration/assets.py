"""A table becomes a daily asset, with its checks in the same step.

The body names the steps (which days, do the layer's work, report); the work is in `lakehouse`, the words in `layers`.
"""

import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import dagster as dg

from medallion_assets.contracts.table import Table, descendants
from medallion_assets.lakehouse import log
from medallion_assets.lakehouse.storage import Lake
from medallion_assets.orchestration import describe, events
from medallion_assets.orchestration.checks import checks_of
from medallion_assets.orchestration.describe import key_of
from medallion_assets.orchestration.layers import REPORTS, DayReport
from medallion_assets.orchestration.partitions import CALENDAR
from medallion_assets.orchestration.resources import LakehouseResource, SparkResource
from medallion_assets.orchestration.samples import previews

PREVIEWED_DAYS = 31
"""A preview costs a small read a day: in a run over more days the last ones get it."""


def op_name(table: Table) -> str:
    return f"{table.layer}__{table.name}"


def build_assets(tables: Mapping[str, Table]) -> list[dg.AssetsDefinition]:
    """One asset a table; a run's last assets fail the run when a day was red."""
    return [
        build_asset(table, table.ancestors, descendants(table, tables.values())) for table in tables.values()
    ]


def build_asset(
    table: Table, ancestors: Collection[Table], descendants: Collection[Table]
) -> dg.AssetsDefinition:
    key = key_of(table)
    checks = {check.name: check for check in checks_of(table)}
    specs = [
        dg.AssetCheckSpec(
            c.name, asset=key, description=c.description, blocking=c.blocking, partitions_def=CALENDAR
        )
        for c in checks.values()
    ]
    gates = [
        dg.AssetCheckKey(key_of(upstream), check.name)
        for upstream in ancestors
        for check in checks_of(upstream)
        if check.blocking
    ]
    later_steps = {op_name(other) for other in descendants}

    @dg.multi_asset(
        name=op_name(table),
        specs=[describe.asset_spec(table)],
        check_specs=specs,
        can_subset=True,
        partitions_def=CALENDAR,
        backfill_policy=dg.BackfillPolicy.single_run(),
        pool=op_name(table),
    )
    def step(context: dg.AssetExecutionContext, spark: SparkResource, lakehouse: LakehouseResource):
        writes = key in context.selected_asset_keys
        chosen = [spec for spec in specs if spec.key in context.selected_asset_check_keys]
        days = _days(context, key, writes)
        red = events.red_days(context.instance, gates, days) if writes else {}
        began = time.monotonic()
        lake = lakehouse.open(spark.session(), context.run_id)
        reports = REPORTS[table.layer](lake, table, [day for day in days if day not in red], writes)
        figures = _common_metadata(lake, table, reports, time.monotonic() - began)
        for report in sorted(reports, key=lambda report: report.day):
            day = report.day
            if writes and report.published and day not in red:
                shown = previews(lakehouse, table, day) if day in figures.previewed else {}
                metadata = {**report.metadata, **figures.of(day), **shown}
                yield dg.AssetMaterialization(key, partition=day, metadata=metadata)
            if not report.has_data:
                continue  # nothing to judge; a verdict costs 20 ms to keep, a year of them minutes
            target = events.last_materialization(context.instance, key, day)
            for spec in chosen:
                check, verdict = checks[spec.name], report.verdicts[spec.name]
                if check.blocking and not verdict.passed:
                    red[day] = f"{key.to_user_string()} check {check.name}"
                yield events.evaluation(key, day, check, verdict, target)
        yield from events.closing_outputs(chosen, key if writes else None)
        is_last = not later_steps & {node.name for node in context.job_def.nodes}
        if writes and red and is_last:
            raise _failure(red)

    return step


@dataclass(frozen=True)
class _Figures:
    """Metadata that is the same kind of thing for every layer."""

    version: int | None
    seconds: float
    sizes: Mapping[str | None, int]
    partitioned: bool
    previewed: Collection[str]

    def of(self, day: str) -> dict[str, Any]:
        size = self.sizes.get(day, 0) if self.partitioned else sum(self.sizes.values())
        return {"delta_version": self.version or 0, "seconds": self.seconds, "bytes": size}


def _common_metadata(lake: Lake, table: Table, reports: Collection[DayReport], seconds: float) -> _Figures:
    return _Figures(
        version=log.version(lake.root, table.key),
        seconds=round(seconds / max(len(reports), 1), 3),
        sizes=log.partition_bytes(lake.root, table.key),
        partitioned=table.layer != "silver" or table.partition_by is not None,
        previewed=sorted(report.day for report in reports)[-PREVIEWED_DAYS:],
    )


def _failure(red: Mapping[str, str]) -> dg.Failure:
    why = "; ".join(f"{day}: {check} not passed" for day, check in sorted(red.items()))
    return dg.Failure(f"bad days: {why}", metadata={"bad_days": sorted(red)}, allow_retries=False)


def _days(context: dg.AssetExecutionContext, key: dg.AssetKey, writes: bool) -> Collection[str]:
    """The run's days; a run of checks alone that names none (the UI's Execute all) means every materialized day."""
    if writes or context.has_partition_key or context.has_partition_key_range:
        return context.partition_keys
    return sorted(context.instance.get_materialized_partitions(key))
