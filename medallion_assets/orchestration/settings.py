"""Settings that are part of a definition, so they are read at import: are sensors and schedules on by default?"""

import os

import dagster as dg


def is_on() -> bool:
    """MEDALLION_SENSORS=on, as in `make dev`."""
    return os.environ.get("MEDALLION_SENSORS") == "on"


SENSOR_STATUS = dg.DefaultSensorStatus.RUNNING if is_on() else dg.DefaultSensorStatus.STOPPED
SCHEDULE_STATUS = dg.DefaultScheduleStatus.RUNNING if is_on() else dg.DefaultScheduleStatus.STOPPED
