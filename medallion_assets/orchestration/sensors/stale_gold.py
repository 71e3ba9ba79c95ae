"""The sensor `stale_gold`: requests the gold tables whose inputs are newer."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field

import dagster as dg

from medallion_assets.contracts.gold import GoldTable
from medallion_assets.contracts.table import Table
from medallion_assets.lakehouse.control.streams import kept_by_streams
from medallion_assets.lakehouse.gold.staleness import staleness
from medallion_assets.orchestration.partitions import CALENDAR
from medallion_assets.orchestration.resources import LakehouseResource
from medallion_assets.orchestration.sensors.open_runs import OpenRuns
from medallion_assets.orchestration.sensors.requests import ask_once
from medallion_assets.orchestration.sensors.run_requests import (
    RunRequestBuilder,
    SensorSettings,
    free_slots,
    listed,
    remembered,
    request_sensor,
    sensor_result,
)

_DESCRIPTION = (
    "Requests the gold tables whose inputs are newer, unless an open run or a stream is about to update them."
)


@dataclass
class StaleGold:
    """states, days: of each stale table what it lacks, and its touched days; busy: tables that an open run writes."""

    states: dict[str, str] = field(default_factory=dict[str, str])
    days: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    busy: set[str] = field(default_factory=set[str])
    notes: list[str] = field(default_factory=list[str])


def stale_gold_sensor(builder: RunRequestBuilder) -> dg.SensorDefinition:
    @request_sensor("stale_gold", _DESCRIPTION)
    def sensor(
        context: dg.SensorEvaluationContext, lakehouse: LakehouseResource, sensor_settings: SensorSettings
    ) -> dg.SensorResult:
        stale = _stale_gold(builder.tables.values(), lakehouse.lake_root, OpenRuns(context.instance))
        memory = remembered(context.cursor)
        slots = free_slots(context, sensor_settings)
        names, asked = ask_once(stale.states, memory["asked"], slots, stale.busy)
        # A request includes all that is made of its table.
        names = [name for name in names if builder.tables[name].ancestor_keys.isdisjoint(names)]
        requests = [
            _request(builder, name, stale, number) for number, name in enumerate(names, memory["count"])
        ]
        return sensor_result(requests, memory | {"asked": asked}, stale.notes)

    return sensor


def _stale_gold(tables: Iterable[Table], root: str, open_runs: OpenRuns) -> StaleGold:
    found, streamed = StaleGold(), kept_by_streams(root)
    for table in tables:
        if not isinstance(table, GoldTable) or table.write.is_extract:
            continue
        if open_runs.write(table.key):
            found.notes.append(f"{table.key}: an open run is about to write it")
            found.busy.add(table.key)
        if table.key in streamed:
            found.notes.append(f"{table.key}: {streamed[table.key]} keeps it up to date")
            found.busy.add(table.key)
        try:
            stale = staleness(root, table)
        except Exception as error:  # one unreadable log must not stop the other tables
            found.notes.append(f"{table.key}: {error}")
            continue
        if stale:
            found.states[table.key] = (
                f"{table.fingerprint} {json.dumps(stale.before)} {json.dumps(stale.now)}"
            )
            found.days[table.key] = sorted(day for day in stale.days if CALENDAR.has_partition_key(day))
    return found


def _request(builder: RunRequestBuilder, name: str, stale: StaleGold, number: int) -> dg.RunRequest:
    """Of one day: the step itself finds the other touched days, and those of changed dimension rows."""
    days = stale.days[name] or [str(CALENDAR.get_last_partition_key())]
    return builder.request([name], days[0], days[0], stale.states[name], number, touched_days=listed(days))
