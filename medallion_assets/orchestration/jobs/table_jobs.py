"""Jobs that somebody starts by hand for one table: replay, full_refresh, reset_watermark, reconcile_keys, rollback.

Each is one function over a `TableJob`; its docstring describes the job in the UI. The jobs on silver also bring gold up
to date, and report each day to Dagster as a run of the assets would.
"""

from collections.abc import Collection, Mapping
from dataclasses import asdict
from typing import TypeVar

import dagster as dg
from pydantic import Field

from medallion_assets.contracts.bronze import BronzeTable
from medallion_assets.contracts.days import ranges
from medallion_assets.contracts.gold import GoldTable
from medallion_assets.contracts.silver import SilverTable
from medallion_assets.contracts.table import Table, descendants
from medallion_assets.contracts.watermark import SourceOffset
from medallion_assets.lakehouse import bronze, silver
from medallion_assets.lakehouse.control import watermarks
from medallion_assets.lakehouse.control.file_ledger import FoldedEntry, entries
from medallion_assets.lakehouse.maintenance import rollback as restoring
from medallion_assets.lakehouse.maintenance import time_travel
from medallion_assets.lakehouse.silver.quarantine import quarantine_key
from medallion_assets.lakehouse.sources import as_offset
from medallion_assets.lakehouse.sources.base import SourceError
from medallion_assets.lakehouse.storage import transaction_log
from medallion_assets.lakehouse.storage.lake import Lake
from medallion_assets.lakehouse.storage.locks import one_writer
from medallion_assets.orchestration.assets import steps
from medallion_assets.orchestration.failures import ExplainedFailure
from medallion_assets.orchestration.jobs.table_job import JobEvents, TableJob, define_job


class OneTable(dg.Config):
    """A table of the layer that the job is about."""

    table: str = Field(description="The table's name without its layer, such as orders.")


class RebuiltTable(dg.Config):
    """A table of silver or gold."""

    table: str = Field(
        description="Layer and name, such as gold/daily_sales; a name alone is a silver table's."
    )


class NewWatermark(OneTable):
    """A followed table, and how far it counts as read."""

    value: str = Field(
        default="", description="The new watermark; empty to read the whole source with the next run."
    )


class OlderVersion(dg.Config):
    """A table of any layer, and which of its versions to restore."""

    table: str = Field(description="Layer and name of the table, such as silver/orders.")
    version: str = Field(default="", description="The version to restore, such as 3.")
    as_of: str = Field(default="", description="Or a time (UTC) at which it was current: 2026-01-05T10:00.")


Kind = TypeVar("Kind", bound=Table)


def replay(job: TableJob, config: OneTable) -> JobEvents:
    """Validates and merges again the stale days and those with quarantined rows."""
    with job.handled(f"silver/{config.table}"):
        table = _named(job.tables, SilverTable, config.table)
        quarantined = transaction_log.partition_bytes(job.lake.root, quarantine_key(table.name))
        days = sorted({day for day in quarantined if day}.union(silver.stale_days(job.lake, table)))
        before = _quarantined(job.lake, table, days)
        rejected = yield from job.refresh_silver(table, days, again=days)
        after = _quarantined(job.lake, table, days)
        figures = {"days": len(days), "freed": before - after, "quarantined": after}
        yield from job.finish(figures, rejected)


def full_refresh(job: TableJob, config: RebuiltTable) -> JobEvents:
    """Rebuilds a silver table from bronze, or a gold table, with the contract's columns and types."""
    layer, _, name = config.table.rpartition("/")
    with job.handled(f"{layer or 'silver'}/{name}"):
        table = _named(job.tables, GoldTable if layer == "gold" else SilverTable, name)
        rejected = yield from job.update(table, lambda: steps.rebuild(job.lake, table))
        yield from job.finish({}, rejected)


def reset_watermark(job: TableJob, config: NewWatermark) -> JobEvents:
    """Sets how far a followed source counts as read; nothing else moves a watermark back."""
    with job.handled(f"bronze/{config.table}"):
        table, root = _followed(job.tables, config.table), job.lakehouse.lake_root
        offset = _offset(table, config.value) if config.value else None
        with one_writer(root, table.key):  # a pull in progress writes its own watermark first
            watermarks.record(root, table.key, watermarks.SUCCESS, offset, 0, job.context.run.run_id)
        yield dg.Output(None)


def reconcile_keys(job: TableJob, config: OneTable) -> JobEvents:
    """Lands a delete for each key that is in bronze and no longer in the source database."""
    with job.handled(f"bronze/{config.table}"):
        table = _followed(job.tables, config.table)
        day, deleted = bronze.reconcile_keys(job.lake, table)
        rejected: dict[str, str] = {}
        for below in descendants(table, job.tables.values()):
            if isinstance(below, SilverTable):
                rejected = yield from job.refresh_silver(below, [day], rejected=rejected)
        yield from job.finish({"deleted": deleted}, rejected)


def rollback(job: TableJob, config: OlderVersion) -> JobEvents:
    """Restores a table to an older version and reverts its later ledger entries."""
    with job.handled(config.table):
        root = job.lakehouse.lake_root
        table = time_travel.find(root, job.tables, config.table)
        version = time_travel.version_asked(root, table.key, config.version, config.as_of)
        done = restoring.rollback(job.lake, table, version)
        job.context.log.info(
            f"{table.key} is at the state of version {done.to_version}; no other table is changed. Sensors that are "
            "on re-run the days since then; if they are off, run the commands in the output."
        )
        yield dg.Output(None, metadata={**asdict(done), "commands": _commands(table, done.days)})


def build_table_jobs(tables: Mapping[str, Table]) -> list[dg.JobDefinition]:
    """The jobs, bound to the tables that they may be about."""
    silver_names = [table.name for table in tables.values() if isinstance(table, SilverTable)]
    followed = [table.name for table in tables.values() if table.write.follows_source]
    gold_keys = [key for key, table in tables.items() if isinstance(table, GoldTable)]
    rebuilt = [*(f"silver/{name}" for name in silver_names), *gold_keys, *silver_names]
    return [
        define_job(tables, replay, OneTable, silver_names),
        define_job(tables, full_refresh, RebuiltTable, rebuilt),
        define_job(tables, reset_watermark, NewWatermark, followed),
        define_job(tables, reconcile_keys, OneTable, followed),
        define_job(tables, rollback, OlderVersion, list(tables)),
    ]


def _commands(table: Table, days: Collection[str]) -> list[str]:
    """The commands that re-run these days; those of a followed source in one run, so that no batch is missed."""
    spans = ranges(days)
    if days and table.write.follows_source:
        spans = [(min(days), max(days))]
    select = f"dagster asset materialize -m medallion_assets.definitions --select '{table.key}*'"
    return [f"{select} --partition-range {first}...{last}" for first, last in spans]


def _named(tables: Mapping[str, Table], kind: type[Kind], name: str) -> Kind:
    table = tables.get(f"{kind.layer}/{name}")
    if not isinstance(table, kind):
        known = ", ".join(sorted(other.name for other in tables.values() if isinstance(other, kind)))
        raise ExplainedFailure(f"There is no table {kind.layer}/{name}. Name one of: {known}")
    return table


def _followed(tables: Mapping[str, Table], name: str) -> BronzeTable:
    table = _named(tables, BronzeTable, name)
    if not table.write.follows_source:
        raise ExplainedFailure(f"{table.key} takes landed files and has no watermark")
    return table


def _offset(table: BronzeTable, value: str) -> SourceOffset:
    try:
        return as_offset(table.write, value)
    except SourceError as error:
        message = f"{value!r} is no watermark of {table.key}: {error}"
        raise ExplainedFailure(message) from None


def _quarantined(lake: Lake, table: SilverTable, days: Collection[str]) -> int:
    """The rows of these days in quarantine, as the ledger has them."""
    ledger = entries(lake.root, FoldedEntry, table.key, days)
    return sum(entry.quarantined for files in ledger.values() for entry in files.values())
