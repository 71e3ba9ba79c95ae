"""The sensor `failed_runs`: records the failed runs whose own process could not."""

from collections.abc import Mapping

import dagster as dg

from medallion_assets.lakehouse.control.run_log import PipelineError, errors_of, record_error
from medallion_assets.lakehouse.control.small_table import now
from medallion_assets.orchestration.resources import LakehouseResource
from medallion_assets.orchestration.settings import SENSOR_STATUS

_DESCRIPTION = "Records in the run log the failed runs whose process was killed before it could do so itself."


def failed_runs_sensor() -> dg.SensorDefinition:
    @dg.run_failure_sensor(  # pyright: ignore[reportUnknownMemberType]
        name="failed_runs",
        description=_DESCRIPTION,
        minimum_interval_seconds=30,
        default_status=SENSOR_STATUS,
    )
    def sensor(context: dg.RunFailureSensorContext, lakehouse: LakehouseResource) -> None:
        run = context.dagster_run
        if errors_of(lakehouse.lake_root, run.run_id):
            return
        assets = sorted(key.to_user_string() for key in run.asset_selection or ())
        record_error(
            lakehouse.lake_root,
            PipelineError(
                pipeline=run.job_name,
                asset=", ".join(assets),
                day=_days(run.tags),
                run_id=run.run_id,
                error_class="dagster.RunFailure",
                message=context.failure_event.message or "",
                traceback="",
                timestamp=now(),
            ),
        )

    return sensor


def _days(tags: Mapping[str, str]) -> str:
    one = tags.get("dagster/partition", "")
    first = one or tags.get("dagster/asset_partition_range_start", "")
    last = one or tags.get("dagster/asset_partition_range_end", "")
    return first if first == last else f"{first}..{last}"
