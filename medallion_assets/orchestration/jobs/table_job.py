"""What the jobs on one table have in common: their resources, the update of gold, the report, and their definition."""

import hashlib
from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TypeVar

import dagster as dg

from medallion_assets.contracts.silver import SilverTable
from medallion_assets.contracts.table import Table, descendants
from medallion_assets.lakehouse import silver
from medallion_assets.lakehouse.storage.lake import Lake
from medallion_assets.orchestration.assets import steps
from medallion_assets.orchestration.assets.checks import checks_of
from medallion_assets.orchestration.assets.reporting import DayEvents, Reporter
from medallion_assets.orchestration.assets.steps import DayReport
from medallion_assets.orchestration.failures import RejectedPartitions, RetrySettings, handled
from medallion_assets.orchestration.resources import LakehouseResource, SparkResource

NONE: Mapping[str, str] = {}
Settings = TypeVar("Settings", bound=dg.Config)
Reported = Generator[DayEvents, None, dict[str, str]]
"""The events of some days; returns those that a blocking check rejected, with the check."""
JobEvents = Generator[DayEvents | dg.Output[None], None, None]


@dataclass(frozen=True)
class TableJob:
    """One run of a job, and the tables that it may be about."""

    context: dg.OpExecutionContext
    tables: Mapping[str, Table]
    lakehouse: LakehouseResource
    spark: SparkResource
    retries: RetrySettings

    @cached_property
    def lake(self) -> Lake:
        return self.lakehouse.start(self.spark, self.context.run.run_id)

    def handled(self, asset: str) -> AbstractContextManager[None]:
        """Around the job's work on the asset: errors are retried or recorded."""
        return handled(self.context, self.lakehouse.lake_root, self.retries, asset)

    def update(
        self, table: Table, work: Callable[[], Sequence[DayReport]], rejected: Mapping[str, str] = NONE
    ) -> Reported:
        """The days of the table that `work` reports, then those of gold that it touched.

        rejected: day -> the check that rejected it, so far; returned with those rejected here
        """
        rejected = yield from self._reported(table, work, rejected)
        for gold in descendants(table, self.tables.values()):
            if not gold.write.is_extract:  # which reads files, not silver
                refresh = partial(steps.run, self.lake, gold, [])
                rejected = yield from self._reported(gold, refresh, rejected)
        return dict(rejected)

    def refresh_silver(
        self,
        table: SilverTable,
        days: Collection[str],
        again: Collection[str] = (),
        rejected: Mapping[str, str] = NONE,
    ) -> Reported:
        """again: the days that are merged again though nothing has changed."""

        def work() -> list[DayReport]:
            metrics = silver.refresh_days(self.lake, table, days, again)
            return steps.silver_reports(self.lake, table, metrics)

        return (yield from self.update(table, work, rejected))

    def finish(self, figures: Mapping[str, int], rejected: Mapping[str, str]) -> JobEvents:
        """The result of the run. RejectedPartitions where a day is rejected."""
        self.context.log.info(", ".join(f"{name}: {value}" for name, value in figures.items()) or "Done.")
        if rejected:
            raise RejectedPartitions(rejected)
        yield dg.Output(None, metadata=figures)

    def _reported(
        self, table: Table, work: Callable[[], Sequence[DayReport]], rejected: Mapping[str, str]
    ) -> Reported:
        reporter = Reporter(self.context, self.lakehouse, self.lake, table)
        return (yield from reporter.run_events(work(), checks_of(table), rejected))


def define_job(
    tables: Mapping[str, Table],
    work: Callable[[TableJob, Settings], JobEvents],
    settings: type[Settings],
    choices: Sequence[str],
) -> dg.JobDefinition:
    """Named and described as the function is; its op has another name, as Dagster demands.

    choices: what `table` of the settings may be; the launchpad begins with the first one. Empty: any text.
    """
    name, description = work.__name__, work.__doc__

    @dg.op(name=f"{name}_table", description=description, config_schema=_schema(name, settings, choices))
    def op(
        context: dg.OpExecutionContext,
        spark: SparkResource,
        lakehouse: LakehouseResource,
        retries: RetrySettings,
    ) -> JobEvents:
        yield from work(TableJob(context, tables, lakehouse, spark, retries), settings(**context.op_config))

    graph = dg.GraphDefinition(name, node_defs=[op], description=description)
    example = {"ops": {f"{name}_table": {"config": {"table": choices[0]}}}} if choices else None
    return graph.to_job(  # pyright: ignore[reportUnknownMemberType]
        config=example, executor_def=dg.in_process_executor
    )


def _schema(name: str, settings: type[dg.Config], choices: Sequence[str]) -> dg.Field:
    """The fields of the settings, `table` as an enumeration: what it does not have is refused before there is a run."""
    schema = settings.to_config_schema().as_field()
    if not choices:
        return schema
    fields = dict(schema.config_type.fields)  # type: ignore[attr-defined]
    # Dagster takes two types of one name for one, also those of two repositories in a process.
    digest = hashlib.sha256("\n".join(choices).encode()).hexdigest()[:8]
    known = dg.Enum(f"tables_of_{name}_{digest}", [dg.EnumValue(choice) for choice in choices])
    fields["table"] = dg.Field(known, description=settings.model_fields["table"].description)
    return dg.Field(fields)
