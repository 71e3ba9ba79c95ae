"""The daily maintenance of all tables, and its schedule, which is on where the sensors are (`make dev`)."""

from collections.abc import Generator, Mapping, Sequence
from typing import Any

import dagster as dg

from medallion_assets.contracts.table import Table
from medallion_assets.lakehouse.maintenance.optimize import maintain
from medallion_assets.lakehouse.maintenance.results import MaintenanceResult
from medallion_assets.orchestration.failures import ExplainedFailure, RetrySettings, handled
from medallion_assets.orchestration.resources import LakehouseResource, SparkResource
from medallion_assets.orchestration.settings import SCHEDULE_STATUS

_DESCRIPTION = "Compacts fragmented partitions; removes expired rows, and files that no reader needs."
_REMEDY = "Restore the log of each (make rollback, the job full_refresh, or a backup), then run the job again"


def build_daily_maintenance(tables: Mapping[str, Table]) -> tuple[dg.JobDefinition, dg.ScheduleDefinition]:
    @dg.op(description=_DESCRIPTION)
    def daily_maintenance_table(
        context: dg.OpExecutionContext,
        spark: SparkResource,
        lakehouse: LakehouseResource,
        retries: RetrySettings,
    ) -> Generator[dg.Output[None], None, None]:
        with handled(context, lakehouse.lake_root, retries):
            results = maintain(lakehouse.start(spark, context.run.run_id), tables.values())
            for line in summary(results)["saved"]:
                context.log.info(line)
            _raise_errors(results)
            yield dg.Output(None, metadata=summary(results))

    graph = dg.GraphDefinition(
        "daily_maintenance", node_defs=[daily_maintenance_table], description=_DESCRIPTION
    )
    job = graph.to_job(executor_def=dg.in_process_executor)  # pyright: ignore[reportUnknownMemberType]
    return job, dg.ScheduleDefinition(
        name="daily_maintenance_schedule",
        job=job,
        cron_schedule="0 3 * * *",
        execution_timezone="UTC",
        default_status=SCHEDULE_STATUS,
    )


def summary(results: Sequence[MaintenanceResult]) -> dict[str, Any]:
    """The totals, and a line for each table that something was done to."""
    return {
        "tables": len({result.key for result in results}),
        "rows_expired": sum(result.expired for result in results),
        "files_compacted": sum(result.compacted for result in results),
        "files_removed": sum(result.removed for result in results),
        "bytes_removed": sum(result.bytes_removed for result in results),
        "saved": [str(result) for result in results if result],
    }


def _raise_errors(results: Sequence[MaintenanceResult]) -> None:
    """Failure that names each table with an error; the other tables are done."""
    failed = [str(result) for result in results if result.error]
    if failed:
        message = f"Maintenance failed for {len(failed)} of {summary(results)['tables']} tables; the others are done."
        listed = "; ".join(failed)
        raise ExplainedFailure(f"{message} {_REMEDY}: {listed}", metadata=summary(results))
