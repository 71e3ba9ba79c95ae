"""Jobs that somebody starts by hand for one table: replay, full_refresh, reset_watermark, reconcile_keys.

Silver's jobs bring gold up to date in the same run and tell Dagster of each day, as a run of the assets would.
"""

import time
from collections.abc import Collection, Mapping
from datetime import datetime, timezone

import dagster as dg
from pydantic import Field

from medallion_assets.contracts.table import Extract, FollowDelta, FollowTable, Table, descendants
from medallion_assets.lakehouse import checking, following, log, silver, watermarks
from medallion_assets.lakehouse.control import FoldedEntry, entries
from medallion_assets.lakehouse.sources.marks import Mark
from medallion_assets.lakehouse.storage import Lake
from medallion_assets.orchestration.checks import checks_of
from medallion_assets.orchestration.events import tell
from medallion_assets.orchestration.layers import DayReport, report, silver_reports
from medallion_assets.orchestration.resources import LakehouseResource, SparkResource
from medallion_assets.orchestration.telling import Telling, failure


class OneTable(dg.Config):
    table: str = Field(description="The table's name without its layer, such as orders.")


class NewWatermark(OneTable):
    value: str = Field(
        default="", description="The new watermark; empty to read the source whole with the next run."
    )


def build_maintenance(tables: Mapping[str, Table]) -> list[dg.JobDefinition]:
    """The jobs, bound to the tables that they may be asked about."""

    @dg.op(description="Judges and folds again the stale days and those with open quarantined rows.")
    def replay_table(
        context: dg.OpExecutionContext, config: OneTable, spark: SparkResource, lakehouse: LakehouseResource
    ) -> None:
        table = _named(tables, "silver", config.table)
        lake = lakehouse.open(spark.session(), context.run.run_id)
        held = {day for day in log.partition_bytes(lake.root, f"quarantine/{table.name}") if day is not None}
        days = sorted(held.union(checking.stale_days(lake, table)))
        before, began = _quarantined(lake, table, days), time.monotonic()
        reports = silver_reports(lake, table, silver.fold_days(lake, table, days, again=days))
        freed = before - _quarantined(lake, table, days)
        context.log.info(
            f"{table.key}: {len(days)} days restated, {freed} rows came free, {before - freed} are in quarantine"
        )
        context.add_output_metadata({"days": len(days), "freed": freed, "quarantined": before - freed})
        _tell(context, tables, lakehouse, lake, table, reports, time.monotonic() - began)

    @dg.op(description="Rebuilds a silver table and its quarantine from bronze, with the contract's types.")
    def full_refresh_table(
        context: dg.OpExecutionContext, config: OneTable, spark: SparkResource, lakehouse: LakehouseResource
    ) -> None:
        table = _named(tables, "silver", config.table)
        lake, began = lakehouse.open(spark.session(), context.run.run_id), time.monotonic()
        reports = silver_reports(lake, table, silver.full_refresh(lake, table))
        _tell(context, tables, lakehouse, lake, table, reports, time.monotonic() - began)

    @dg.op(description="Sets how far a followed source counts as read. The only way back.")
    def reset_watermark_table(
        context: dg.OpExecutionContext, config: NewWatermark, lakehouse: LakehouseResource
    ) -> None:
        table = _followed(tables, config.table)
        mark = _mark(table, config.value) if config.value else None
        watermarks.note(lakehouse.lake_root, table.key, watermarks.SUCCESS, mark, 0, context.run.run_id)

    @dg.op(description="Lands a delete for each key that bronze holds and the database has no more.")
    def reconcile_keys_table(
        context: dg.OpExecutionContext, config: OneTable, spark: SparkResource, lakehouse: LakehouseResource
    ) -> None:
        table = _followed(tables, config.table)
        lake = lakehouse.open(spark.session(), context.run.run_id)
        gone = following.reconcile_keys(lake, table)
        context.log.info(f"{table.key}: {gone} keys are gone from the source")
        context.add_output_metadata({"deleted": gone})

    ops = (replay_table, full_refresh_table, reset_watermark_table, reconcile_keys_table)
    return [_job(op) for op in ops]


def _job(op: dg.OpDefinition) -> dg.JobDefinition:
    """Named like its op but for the `_table`: Dagster wants the two to differ."""
    name = op.name.removesuffix("_table")
    graph = dg.GraphDefinition(name, node_defs=[op], description=op.description)
    return graph.to_job(executor_def=dg.in_process_executor)


def _named(tables: Mapping[str, Table], layer: str, name: str) -> Table:
    table = tables.get(f"{layer}/{name}")
    if table is None:
        known = ", ".join(sorted(other.name for other in tables.values() if other.layer == layer))
        raise dg.Failure(f"There is no table {layer}/{name}. Name one of: {known}", allow_retries=False)
    return table


def _followed(tables: Mapping[str, Table], name: str) -> Table:
    table = _named(tables, "bronze", name)
    if not isinstance(table.write, FollowDelta | FollowTable):
        raise dg.Failure(f"{table.key} takes landed files and has no watermark", allow_retries=False)
    return table


def _mark(table: Table, value: str) -> Mark:
    """A version of a Delta table, or a time of change of a database's row."""
    versions = isinstance(table.write, FollowDelta)
    try:
        if versions:
            return Mark(str(int(value)))
        moment = datetime.fromisoformat(value)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
        return Mark(moment.astimezone(timezone.utc).isoformat(timespec="microseconds"))
    except ValueError:
        wanted = "a version, such as 12" if versions else "a time, such as 2026-01-05T10:00:00"
        message = f"{value!r} is no watermark of {table.key}: give {wanted}"
        raise dg.Failure(message, allow_retries=False) from None


def _refreshed(table: Table, tables: Mapping[str, Table]) -> list[Table]:
    """The gold tables that are made of silver; an extract reads the files of its days, and is not touched."""
    return [t for t in descendants(table, tables.values()) if not isinstance(t.write, Extract)]


def _quarantined(lake: Lake, table: Table, days: Collection[str]) -> int:
    known = entries(lake.root, FoldedEntry, table.key, days)
    return sum(entry.quarantined for files in known.values() for entry in files.values())


def _tell(
    context: dg.OpExecutionContext,
    tables: Mapping[str, Table],
    lakehouse: LakehouseResource,
    lake: Lake,
    table: Table,
    reports: Collection[DayReport],
    seconds: float,
) -> None:
    """Silver's days as they are now, then those of gold that they touched. Fails if a day is red."""
    red: dict[str, str] = {}
    steps = [(table, reports, seconds)]
    for gold in _refreshed(table, tables):
        began = time.monotonic()
        steps.append((gold, report(lake, gold, [], writes=True), time.monotonic() - began))
    for told, days, spent in steps:
        names = {check.name for check in checks_of(told)}
        for event in Telling(context.instance, lakehouse, lake, told, spent).events(days, True, names, red):
            tell(context, event)
    if red:
        raise failure(red)
