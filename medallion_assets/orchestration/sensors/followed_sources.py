"""The sensor `watermarks`: requests today for the tables whose followed source has new changes."""

import dagster as dg

from medallion_assets.contracts.days import utc_today
from medallion_assets.lakehouse.control.streams import kept_by_streams
from medallion_assets.lakehouse.monitoring.source_changes import sources_with_news
from medallion_assets.orchestration.resources import LakehouseResource
from medallion_assets.orchestration.sensors.open_runs import OpenRuns
from medallion_assets.orchestration.sensors.requests import ask_once
from medallion_assets.orchestration.sensors.run_requests import (
    RunRequestBuilder,
    SensorSettings,
    free_slots,
    remembered,
    request_sensor,
    sensor_result,
)

_DESCRIPTION = (
    "Requests today for the tables whose followed source has new changes, unless an open run or a stream reads "
    "it."
)


def watermarks_sensor(builder: RunRequestBuilder) -> dg.SensorDefinition:
    @request_sensor("watermarks", _DESCRIPTION)
    def sensor(
        context: dg.SensorEvaluationContext, lakehouse: LakehouseResource, sensor_settings: SensorSettings
    ) -> dg.SensorResult:
        today = utc_today()
        news, notes = sources_with_news(builder.tables.values(), lakehouse.lake_root)
        states = {name: f"{today} {state}" for name, state in news.items()}
        memory, open_runs = remembered(context.cursor), OpenRuns(context.instance)
        busy = {name for name in states if open_runs.cover((name, today))}
        notes += [f"{name}: an open run is about to read it" for name in sorted(busy)]
        streamed = {name: at for name, at in kept_by_streams(lakehouse.lake_root).items() if name in states}
        notes += [f"{name}: {place} follows it" for name, place in sorted(streamed.items())]
        names, asked = ask_once(
            states, memory["asked"], free_slots(context, sensor_settings), busy | {*streamed}
        )
        requests = [
            builder.request([name], today, today, states[name], number)
            for number, name in enumerate(names, memory["count"])
        ]
        return sensor_result(requests, memory | {"asked": asked}, notes)

    return sensor
