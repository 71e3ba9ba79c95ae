"""The sensor `landed_files`: requests the days whose landed files are new or changed."""

import json

import dagster as dg

from medallion_assets.contracts.days import TableDay, utc_today
from medallion_assets.lakehouse.control.streams import kept_by_streams
from medallion_assets.lakehouse.monitoring.source_changes import landing_state, never_read
from medallion_assets.orchestration.partitions import CALENDAR
from medallion_assets.orchestration.resources import LakehouseResource
from medallion_assets.orchestration.sensors.open_runs import OpenRuns
from medallion_assets.orchestration.sensors.requests import Memory, days_to_land, lost_days
from medallion_assets.orchestration.sensors.run_requests import (
    RunRequestBuilder,
    SensorSettings,
    as_table_days,
    as_texts,
    free_slots,
    remembered,
    request_sensor,
    sensor_result,
)

_DESCRIPTION = "Requests the days whose landed files are new or changed; adjacent days share a run."


def landed_files_sensor(builder: RunRequestBuilder) -> dg.SensorDefinition:
    @request_sensor("landed_files", _DESCRIPTION)
    def sensor(
        context: dg.SensorEvaluationContext, lakehouse: LakehouseResource, sensor_settings: SensorSettings
    ) -> dg.SensorResult:
        landed, ingested, notes = _days(builder, lakehouse)
        cursor = remembered(context.cursor)
        memory = Memory(as_table_days(cursor["seen"]), as_table_days(cursor["asked"]))
        slots, open_runs = free_slots(context, sensor_settings), OpenRuns(context.instance)
        streamed, today = kept_by_streams(lakehouse.lake_root), utc_today()

        def busy(at: TableDay) -> bool:
            return open_runs.cover(at) or (at[0] in streamed and at[1] == today)

        decided, memory = days_to_land(landed, ingested, memory, slots, busy)
        requests = [
            builder.request(one.tables, one.first, one.last, json.dumps(one.state), number)
            for number, one in enumerate(decided, cursor["count"])
        ]
        states = {"seen": as_texts(memory.seen), "asked": as_texts(memory.asked)}
        return sensor_result(requests, cursor | states, notes)

    return sensor


def _days(
    builder: RunRequestBuilder, lakehouse: LakehouseResource
) -> tuple[dict[TableDay, str], dict[TableDay, str], list[str]]:
    """The state of each day in the landing and in the lake, and what is wrong with days that are not requested."""
    landed, ingested, notes = landing_state(
        builder.tables.values(), lakehouse.landing_root, lakehouse.lake_root
    )
    notes += [f"{table} {day}: all its files are gone" for table, day in lost_days(landed, ingested)]
    beside = never_read(builder.tables.values(), lakehouse.landing_root)
    notes += [f"{table}: never read, beside the days: {names}" for table, names in beside.items()]
    outside = {at for at in landed if not CALENDAR.has_partition_key(at[1])}
    notes += [f"{table} {day}: outside the calendar" for table, day in sorted(outside)]
    return {at: state for at, state in landed.items() if at not in outside}, ingested, notes
