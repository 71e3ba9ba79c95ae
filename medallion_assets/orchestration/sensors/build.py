"""All sensors that request runs.

Each reads states, lets a pure function decide (`requests.py`), requests runs, and remembers them in its cursor. They
are off until somebody turns them on; `make dev` does, by MEDALLION_SENSORS=on.
"""

from collections.abc import Mapping

import dagster as dg

from medallion_assets.contracts.table import Table
from medallion_assets.orchestration.sensors.followed_sources import watermarks_sensor
from medallion_assets.orchestration.sensors.landed_files import landed_files_sensor
from medallion_assets.orchestration.sensors.run_requests import RunRequestBuilder
from medallion_assets.orchestration.sensors.stale_gold import stale_gold_sensor


def build_sensors(tables: Mapping[str, Table]) -> list[dg.SensorDefinition]:
    builder = RunRequestBuilder(tables)
    return [landed_files_sensor(builder), watermarks_sensor(builder), stale_gold_sensor(builder)]
