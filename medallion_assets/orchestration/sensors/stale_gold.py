"""Requests the gold tables whose inputs are newer."""

import json

import dagster as dg

from medallion_assets.contracts.gold import GoldTable
from medallion_assets.lakehouse.gold.staleness import staleness
from medallion_assets.orchestration.partitions import CALENDAR
from medallion_assets.orchestration.resources import LakehouseResource
from medallion_assets.orchestration.sensors.open_runs import OpenRuns
from medallion_assets.orchestration.sensors.requests import ask_once
from medallion_assets.orchestration.sensors.run_requests import (
    ALIKE,
    RunRequestBuilder,
    SensorSettings,
    free_slots,
    listed,
    recalled,
    sensor_result,
)


def stale_gold_sensor(builder: RunRequestBuilder) -> dg.SensorDefinition:
    @dg.sensor(
        name="stale_gold",
        description="Requests the gold tables whose inputs are newer, unless a run is about to bring them up to date.",
        **ALIKE,
    )
    def sensor(
        context: dg.SensorEvaluationContext, lakehouse: LakehouseResource, sensor_settings: SensorSettings
    ) -> dg.SensorResult:
        states, days, notes, busy = {}, {}, [], set()
        open_runs = OpenRuns(context.instance)
        for table in builder.tables.values():
            if not isinstance(table, GoldTable) or table.write.is_extract:
                continue
            if open_runs.write(table.key):
                notes.append(f"{table.key}: an open run is about to write it")
                busy.add(table.key)
            try:
                late = staleness(lakehouse.lake_root, table)
            except Exception as error:  # a log that cannot be read must not keep back the other tables
                notes.append(f"{table.key}: {error}")
                continue
            if late:
                states[table.key] = f"{table.fingerprint} {json.dumps(late.before)} {json.dumps(late.now)}"
                # The step takes all touched days along, and finds those of a moved dimension itself.
                inside = sorted(day for day in late.days if CALENDAR.has_partition_key(day))
                days[table.key] = inside or [str(CALENDAR.get_last_partition_key())]
        kept = recalled(context.cursor)
        names, asked = ask_once(states, kept["asked"], free_slots(context, sensor_settings), busy)
        # A request takes along all that is made of its table.
        names = [name for name in names if builder.tables[name].ancestor_keys.isdisjoint(names)]
        requests = [
            builder.request(
                [name], days[name][0], days[name][0], states[name], number, touched_days=listed(days[name])
            )
            for number, name in enumerate(names, kept["count"])
        ]
        return sensor_result(requests, kept | {"asked": asked}, notes)

    return sensor
