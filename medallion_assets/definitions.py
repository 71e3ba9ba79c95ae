"""The whole repository on one screen: every table an asset, the report, their jobs, and where settings enter.

Loading this starts nothing: the session starts with the first step that needs it.
"""

from collections.abc import Mapping

import dagster as dg

from medallion_assets.contracts.table import Table
from medallion_assets.orchestration import pools
from medallion_assets.orchestration.alerting.channels import AlertSettings
from medallion_assets.orchestration.alerting.sensor import build_alert_sensors
from medallion_assets.orchestration.assets.factory import build_assets
from medallion_assets.orchestration.assets.kept_tables import kept_tables
from medallion_assets.orchestration.assets.report import build_report_asset
from medallion_assets.orchestration.failures import RetrySettings
from medallion_assets.orchestration.jobs.asset_jobs import build_all_checks, landing_to_gold
from medallion_assets.orchestration.jobs.daily_maintenance import build_daily_maintenance
from medallion_assets.orchestration.jobs.table_jobs import build_table_jobs
from medallion_assets.orchestration.resources import LakehouseResource, SparkResource
from medallion_assets.orchestration.sensors.build import build_sensors
from medallion_assets.orchestration.sensors.run_requests import SensorSettings
from medallion_assets.tables import find_tables


def repository(tables: Mapping[str, Table]) -> dg.Definitions:
    pools.install()
    daily_maintenance, every_night = build_daily_maintenance(tables)
    return dg.Definitions(
        assets=[*build_assets(tables), *kept_tables(tables.values()), build_report_asset(tables)],
        jobs=[landing_to_gold, build_all_checks(tables), *build_table_jobs(tables), daily_maintenance],
        schedules=[every_night],
        sensors=[*build_sensors(tables), *build_alert_sensors(tables)],
        resources={
            "spark": SparkResource(),
            "lakehouse": LakehouseResource(),
            "retries": RetrySettings(),
            "sensor_settings": SensorSettings(),
            "alert_settings": AlertSettings(),
        },
        executor=dg.in_process_executor,  # one Spark session a run, not one a step
    )


defs = repository(find_tables())
