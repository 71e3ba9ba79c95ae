"""A table becomes a daily asset, with its checks in the same step.

The body names the steps (which days, do the layer's work, report); the work is in `lakehouse`, the words in `layers`.
"""

from collections.abc import Collection, Mapping

import dagster as dg

from medallion_assets.contracts.table import Table, descendants
from medallion_assets.orchestration.assets import partition_events
from medallion_assets.orchestration.assets.checks import checks_of
from medallion_assets.orchestration.assets.reporting import Telling
from medallion_assets.orchestration.assets.specs import asset_spec, key_of
from medallion_assets.orchestration.assets.steps import report
from medallion_assets.orchestration.failures import RejectedPartitions, RetrySettings, handled
from medallion_assets.orchestration.partitions import CALENDAR
from medallion_assets.orchestration.resources import LakehouseResource, SparkResource


def op_name(table: Table) -> str:
    return f"{table.layer}__{table.name}"


def build_assets(tables: Mapping[str, Table]) -> list[dg.AssetsDefinition]:
    """One asset a table; a run's last assets fail the run when a day was rejected."""
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
        specs=[asset_spec(table)],
        check_specs=specs,
        can_subset=True,
        partitions_def=CALENDAR,
        backfill_policy=dg.BackfillPolicy.single_run(),
        pool=op_name(table),
    )
    def step(
        context: dg.AssetExecutionContext,
        spark: SparkResource,
        lakehouse: LakehouseResource,
        retries: RetrySettings,
    ):
        writes = key in context.selected_asset_keys
        chosen = [spec for spec in specs if spec.key in context.selected_asset_check_keys]
        days = _days(context, key, writes)
        code = table.fingerprint if writes else ""
        with handled(context, lakehouse.lake_root, retries, table.key, code, days):
            if writes:
                lakehouse.before_run(table, spark.is_embedded)
            rejected = partition_events.rejected_days(context.instance, gates, days) if writes else {}
            telling = Telling(context, lakehouse, lakehouse.open(spark.session(), context.run.run_id), table)
            reports = report(telling.lake, table, [day for day in days if day not in rejected], writes)
            yield from telling.events(reports, writes, {spec.name for spec in chosen}, rejected)
            yield from partition_events.closing_outputs(chosen, key if writes else None)
            is_last = not later_steps & {node.name for node in context.job_def.nodes}
            if writes and rejected and is_last:
                raise RejectedPartitions(rejected)

    return step


def _days(context: dg.AssetExecutionContext, key: dg.AssetKey, writes: bool) -> Collection[str]:
    """The run's days; a run of checks alone that names none (the UI's Execute all) means every materialized day."""
    if writes or context.has_partition_key or context.has_partition_key_range:
        return context.partition_keys
    return sorted(context.instance.get_materialized_partitions(key))
