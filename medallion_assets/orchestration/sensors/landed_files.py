"""Requests the days whose landed files are new or changed."""

import json

import dagster as dg

from medallion_assets.lakehouse.monitoring.source_changes import landing_state
from medallion_assets.orchestration.partitions import CALENDAR
from medallion_assets.orchestration.resources import LakehouseResource
from medallion_assets.orchestration.sensors.open_runs import OpenRuns
from medallion_assets.orchestration.sensors.requests import Memory, days_to_land, lost_days
from medallion_assets.orchestration.sensors.run_requests import (
    ALIKE,
    RunRequestBuilder,
    SensorSettings,
    as_table_days,
    as_texts,
    free_slots,
    recalled,
    sensor_result,
)


def landed_files_sensor(builder: RunRequestBuilder) -> dg.SensorDefinition:
    @dg.sensor(
        name="landed_files",
        description="Requests the days whose landed files are new or changed, adjacent days together.",
        **ALIKE,
    )
    def sensor(
        context: dg.SensorEvaluationContext, lakehouse: LakehouseResource, sensor_settings: SensorSettings
    ) -> dg.SensorResult:
        landed, taken, notes = landing_state(
            builder.tables.values(), lakehouse.landing_root, lakehouse.lake_root
        )
        notes += [f"{table} {day}: all its files are gone" for table, day in lost_days(landed, taken)]
        outside = {at for at in landed if not CALENDAR.has_partition_key(at[1])}
        notes += [f"{table} {day}: outside the calendar" for table, day in sorted(outside)]
        inside = {at: state for at, state in landed.items() if at not in outside}
        kept = recalled(context.cursor)
        memory = Memory(as_table_days(kept["seen"]), as_table_days(kept["asked"]))
        room, busy = free_slots(context, sensor_settings), OpenRuns(context.instance).covers
        requests, memory = days_to_land(inside, taken, memory, room, busy)
        return sensor_result(
            [
                builder.request(r.tables, r.first, r.last, json.dumps(r.state), number)
                for number, r in enumerate(requests, kept["count"])
            ],
            kept | {"seen": as_texts(memory.seen), "asked": as_texts(memory.asked)},
            notes,
        )

    return sensor
