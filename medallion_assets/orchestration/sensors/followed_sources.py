"""Requests today for the tables whose followed source has something new."""

from datetime import datetime, timezone

import dagster as dg

from medallion_assets.lakehouse.monitoring.source_changes import sources_with_news
from medallion_assets.orchestration.resources import LakehouseResource
from medallion_assets.orchestration.sensors.requests import ask_once
from medallion_assets.orchestration.sensors.run_requests import (
    ALIKE,
    RunRequestBuilder,
    SensorSettings,
    free_slots,
    recalled,
    sensor_result,
)


def watermarks_sensor(builder: RunRequestBuilder) -> dg.SensorDefinition:
    @dg.sensor(
        name="watermarks",
        description="Requests today for the tables whose followed source has something new.",
        **ALIKE,
    )
    def sensor(
        context: dg.SensorEvaluationContext, lakehouse: LakehouseResource, sensor_settings: SensorSettings
    ) -> dg.SensorResult:
        today = f"{datetime.now(timezone.utc):%Y-%m-%d}"
        news, notes = sources_with_news(builder.tables.values(), lakehouse.lake_root)
        states = {name: f"{today} {state}" for name, state in news.items()}
        kept = recalled(context.cursor)
        names, asked = ask_once(states, kept["asked"], free_slots(context, sensor_settings))
        requests = [
            builder.request([name], today, today, states[name], number)
            for number, name in enumerate(names, kept["count"])
        ]
        return sensor_result(requests, kept | {"asked": asked}, notes)

    return sensor
