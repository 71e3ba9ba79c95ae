"""The daily job that keeps the lake in shape, and its schedule: as the sensors, on in `make dev`, else off."""

from collections.abc import Iterator, Mapping
from typing import Any

import dagster as dg

from medallion_assets.contracts.table import Table
from medallion_assets.lakehouse.maintenance.optimize import maintain
from medallion_assets.lakehouse.maintenance.results import MaintenanceResult
from medallion_assets.orchestration.failures import RetrySettings, handled
from medallion_assets.orchestration.resources import LakehouseResource, SparkResource
from medallion_assets.orchestration.settings import SCHEDULE_STATUS

_MEND = "Restore the log of each (make rollback, the job full_refresh, or a backup) and run the job again"


def build_upkeep(tables: Mapping[str, Table]) -> tuple[dg.JobDefinition, dg.ScheduleDefinition]:
    @dg.op(
        description="Compacts fragmented partitions and removes files that no reader needs, and rows that expired."
    )
    def daily_maintenance_table(
        context: dg.OpExecutionContext,
        spark: SparkResource,
        lakehouse: LakehouseResource,
        retries: RetrySettings,
    ) -> Iterator[dg.Output]:
        with handled(context, lakehouse.lake_root, retries):
            saved = maintain(lakehouse.open(spark.session(), context.run.run_id), tables.values())
            told = told_of(saved)
            for line in told["saved"]:
                context.log.info(line)
            if failed := [str(table) for table in saved if table.error]:
                message = (
                    f"{len(failed)} of {told['tables']} tables could not be kept (the others are). {_MEND}: "
                )
                raise dg.Failure(message + "; ".join(failed), metadata=told, allow_retries=False)
            yield dg.Output(None, metadata=told)

    graph = dg.GraphDefinition(
        "daily_maintenance",
        node_defs=[daily_maintenance_table],
        description=daily_maintenance_table.description,
    )
    job = graph.to_job(executor_def=dg.in_process_executor)
    return job, dg.ScheduleDefinition(
        name="daily_maintenance_schedule",
        job=job,
        cron_schedule="0 3 * * *",
        execution_timezone="UTC",
        default_status=SCHEDULE_STATUS,
    )


def told_of(saved: list[MaintenanceResult]) -> dict[str, Any]:
    """The totals, and a line for each table to which something was done."""
    return {
        "tables": len({table.key for table in saved}),
        "rows_expired": sum(table.expired for table in saved),
        "files_compacted": sum(table.compacted for table in saved),
        "files_removed": sum(table.removed for table in saved),
        "bytes_removed": sum(table.bytes_removed for table in saved),
        "saved": [str(table) for table in saved if table],
    }
