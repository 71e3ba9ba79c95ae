"""Jobs that somebody starts by hand for one table: replay, full_refresh, reset_watermark, reconcile_keys, rollback.

Silver's jobs bring gold up to date in the same run and tell Dagster of each day, as a run of the assets would.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import asdict
from datetime import datetime, timezone
from functools import partial
from typing import TypeVar

import dagster as dg
from pydantic import Field

from medallion_assets.contracts.bronze import BronzeTable, FollowDelta
from medallion_assets.contracts.days import ranges
from medallion_assets.contracts.gold import GoldTable
from medallion_assets.contracts.silver import SilverTable
from medallion_assets.contracts.table import Table, descendants
from medallion_assets.contracts.watermark import SourceOffset
from medallion_assets.lakehouse import bronze, gold, silver
from medallion_assets.lakehouse.control import watermarks
from medallion_assets.lakehouse.control.file_ledger import FoldedEntry, entries
from medallion_assets.lakehouse.maintenance import rollback, time_travel
from medallion_assets.lakehouse.silver.day_metrics import SilverDayMetrics
from medallion_assets.lakehouse.silver.quarantine import quarantine_key
from medallion_assets.lakehouse.storage import transaction_log
from medallion_assets.lakehouse.storage.lake import Lake
from medallion_assets.lakehouse.storage.locks import one_writer
from medallion_assets.orchestration.assets.checks import checks_of
from medallion_assets.orchestration.assets.reporting import Telling
from medallion_assets.orchestration.assets.steps import (
    DayReport,
    extract_reports,
    gold_reports,
    report,
    silver_reports,
)
from medallion_assets.orchestration.failures import RejectedPartitions, RetrySettings, handled
from medallion_assets.orchestration.resources import LakehouseResource, SparkResource


class OneTable(dg.Config):
    table: str = Field(description="The table's name without its layer, such as orders.")


class Rebuilt(dg.Config):
    table: str = Field(
        description="Layer and name, such as gold/daily_sales; a name alone is a silver table's."
    )


class NewWatermark(OneTable):
    value: str = Field(
        default="", description="The new watermark; empty to read the source whole with the next run."
    )


class OlderVersion(dg.Config):
    table: str = Field(description="Layer and name of the table, such as silver/orders.")
    version: str = Field(default="", description="The version to restore, such as 3.")
    as_of: str = Field(default="", description="Or the time whose version it is, UTC: 2026-01-05T10:00.")


T = TypeVar("T", bound=Table)
Events = Iterator[dg.AssetMaterialization | dg.AssetCheckEvaluation | dg.Output]


def build_maintenance(tables: Mapping[str, Table]) -> list[dg.JobDefinition]:
    """The jobs, bound to the tables that they may be asked about."""

    @dg.op(description="Judges and folds again the stale days and those with open quarantined rows.")
    def replay_table(
        context: dg.OpExecutionContext,
        config: OneTable,
        spark: SparkResource,
        lakehouse: LakehouseResource,
        retries: RetrySettings,
    ) -> Events:
        with handled(context, lakehouse.lake_root, retries, f"silver/{config.table}"):
            table, run = _named(tables, SilverTable, config.table), _Run(context, tables, lakehouse, spark)
            held = {
                day
                for day in transaction_log.partition_bytes(run.lake.root, quarantine_key(table.name))
                if day
            }
            days = sorted(held.union(silver.stale_days(run.lake, table)))
            before = _quarantined(run.lake, table, days)
            yield from run.silver(table, lambda: silver.refresh_days(run.lake, table, days, again=days))
            left = _quarantined(run.lake, table, days)
            yield from run.end({"days": len(days), "freed": before - left, "quarantined": left})

    @dg.op(
        description="Rebuilds a silver table from bronze, or a gold table, with the contract's columns and types."
    )
    def full_refresh_table(
        context: dg.OpExecutionContext,
        config: Rebuilt,
        spark: SparkResource,
        lakehouse: LakehouseResource,
        retries: RetrySettings,
    ) -> Events:
        layer, _, name = config.table.rpartition("/")
        key = f"{layer or 'silver'}/{name}"
        with handled(context, lakehouse.lake_root, retries, key):
            run = _Run(context, tables, lakehouse, spark)
            if layer == "gold":
                yield from run.rebuilt_gold(_named(tables, GoldTable, name))
            else:
                table = _named(tables, SilverTable, name)
                yield from run.silver(table, lambda: silver.rebuild(run.lake, table))
            yield from run.end({})

    @dg.op(description="Sets how far a followed source counts as read. The only way back.")
    def reset_watermark_table(
        context: dg.OpExecutionContext,
        config: NewWatermark,
        lakehouse: LakehouseResource,
        retries: RetrySettings,
    ) -> None:
        with handled(context, lakehouse.lake_root, retries, f"bronze/{config.table}"):
            table = _followed(tables, config.table)
            offset = _offset(table, config.value) if config.value else None
            with one_writer(lakehouse.lake_root, table.key):  # a pull that is under way notes its own first
                watermarks.record(
                    lakehouse.lake_root, table.key, watermarks.SUCCESS, offset, 0, context.run.run_id
                )

    @dg.op(description="Lands a delete for each key that bronze holds and the database has no more.")
    def reconcile_keys_table(
        context: dg.OpExecutionContext,
        config: OneTable,
        spark: SparkResource,
        lakehouse: LakehouseResource,
        retries: RetrySettings,
    ) -> Events:
        with handled(context, lakehouse.lake_root, retries, f"bronze/{config.table}"):
            table, run = _followed(tables, config.table), _Run(context, tables, lakehouse, spark)
            day, gone = bronze.reconcile_keys(run.lake, table)
            for below in descendants(table, tables.values()):
                if isinstance(below, SilverTable):
                    yield from run.silver(below, partial(silver.refresh_days, run.lake, below, [day]))
            yield from run.end({"deleted": gone})

    @dg.op(description="Restores a table to an older version, and takes back what the ledgers say since.")
    def rollback_table(
        context: dg.OpExecutionContext,
        config: OlderVersion,
        spark: SparkResource,
        lakehouse: LakehouseResource,
        retries: RetrySettings,
    ) -> Iterator[dg.Output]:
        with handled(context, lakehouse.lake_root, retries, config.table):
            root = lakehouse.lake_root
            table = time_travel.find(root, tables, config.table)
            version = time_travel.version_asked(root, table.key, config.version, config.as_of)
            lake = lakehouse.open(spark.session(), context.run.run_id)
            done = rollback.rollback(lake, table, version)
            context.log.info(
                f"{table.key} is as it was at version {done.to_version}, and no other table is changed. "
                "The sensors, if on, bring it and the tables below up to date; else run the commands of the output"
            )
            yield dg.Output(None, metadata={**asdict(done), "commands": _commands(table, done.days)})

    ops = (replay_table, full_refresh_table, reset_watermark_table, reconcile_keys_table, rollback_table)
    return [_job(op) for op in ops]


class _Run:
    """One run of a job: what it does to silver goes on to gold, and both are told day by day."""

    def __init__(
        self,
        context: dg.OpExecutionContext,
        tables: Mapping[str, Table],
        lakehouse: LakehouseResource,
        spark: SparkResource,
    ):
        self.context, self.tables, self.lakehouse = context, tables, lakehouse
        self.lake = lakehouse.open(spark.session(), context.run.run_id)
        self.rejected: dict[str, str] = {}

    def silver(self, table: SilverTable, fold: Callable[[], Mapping[str, SilverDayMetrics]]) -> Events:
        """The days that `fold` tells of, then those of gold that it touched; an extract reads files, not silver."""
        yield from self._told(table, lambda: silver_reports(self.lake, table, fold()))
        yield from self._descendants(table)

    def rebuilt_gold(self, table: GoldTable) -> Events:
        """Every day of the table, then those of gold below that it touched."""
        if table.write.is_extract:
            yield from self._told(table, lambda: extract_reports(gold.rebuild_extract(self.lake, table)))
        else:
            yield from self._told(
                table, lambda: gold_reports(self.lake, table, gold.rebuild(self.lake, table).days)
            )
        yield from self._descendants(table)

    def _descendants(self, table: Table) -> Events:
        for below in descendants(table, self.tables.values()):
            if not below.write.is_extract:
                yield from self._told(below, partial(report, self.lake, below, [], True))

    def end(self, figures: Mapping[str, int]) -> Events:
        """What the run came to. Fails where a day is rejected."""
        self.context.log.info(", ".join(f"{name}: {value}" for name, value in figures.items()) or "Done.")
        if self.rejected:
            raise RejectedPartitions(self.rejected)
        yield dg.Output(None, metadata=figures)

    def _told(self, table: Table, work: Callable[[], Collection[DayReport]]) -> Events:
        telling = Telling(self.context, self.lakehouse, self.lake, table)
        yield from telling.events(work(), True, {check.name for check in checks_of(table)}, self.rejected)


def _job(op: dg.OpDefinition) -> dg.JobDefinition:
    """Named like its op but for the `_table`: Dagster wants the two to differ."""
    name = op.name.removesuffix("_table")
    graph = dg.GraphDefinition(name, node_defs=[op], description=op.description)
    return graph.to_job(executor_def=dg.in_process_executor)


def _commands(table: Table, days: Collection[str]) -> list[str]:
    """What restates these days. A followed source's batches go and come in one run, so that no row is missed."""
    spans = ranges(days)
    if days and table.write.follows_source:
        spans = [(min(days), max(days))]
    select = f"dagster asset materialize -m medallion_assets.definitions --select '{table.key}*'"
    return [f"{select} --partition-range {first}...{last}" for first, last in spans]


def _named(tables: Mapping[str, Table], kind: type[T], name: str) -> T:
    table = tables.get(f"{kind.layer}/{name}")
    if not isinstance(table, kind):
        known = ", ".join(sorted(other.name for other in tables.values() if isinstance(other, kind)))
        raise dg.Failure(f"There is no table {kind.layer}/{name}. Name one of: {known}", allow_retries=False)
    return table


def _followed(tables: Mapping[str, Table], name: str) -> BronzeTable:
    table = _named(tables, BronzeTable, name)
    if not table.write.follows_source:
        raise dg.Failure(f"{table.key} takes landed files and has no watermark", allow_retries=False)
    return table


def _offset(table: Table, value: str) -> SourceOffset:
    """A version of a Delta table, or a time of change of a database's row."""
    versions = isinstance(table.write, FollowDelta)
    try:
        if versions:
            return SourceOffset(str(int(value)))
        moment = datetime.fromisoformat(value)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
        return SourceOffset(moment.astimezone(timezone.utc).isoformat(timespec="microseconds"))
    except ValueError:
        wanted = "a version, such as 12" if versions else "a time, such as 2026-01-05T10:00:00"
        message = f"{value!r} is no watermark of {table.key}: give {wanted}"
        raise dg.Failure(message, allow_retries=False) from None


def _quarantined(lake: Lake, table: Table, days: Collection[str]) -> int:
    known = entries(lake.root, FoldedEntry, table.key, days)
    return sum(entry.quarantined for files in known.values() for entry in files.values())
