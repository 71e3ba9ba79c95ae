"""Sensors: the lake follows its sources by itself. No JVM, no data read: listings, ledgers, logs and one small query.

Each looks, lets a pure decision choose (`contracts/requests.py`), speaks, and keeps in its cursor what it asked for.
They are off until somebody turns them on, but for `make dev`, which sets MEDALLION_SENSORS=on.
"""

import hashlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

import dagster as dg
from pydantic import Field

from medallion_assets.contracts.requests import At, Memory, ask_once, days_to_land, lost_days
from medallion_assets.contracts.table import Extract, Table, descendants
from medallion_assets.lakehouse.behind import behind
from medallion_assets.lakehouse.watching import landing_state, sources_with_news
from medallion_assets.orchestration.describe import key_of
from medallion_assets.orchestration.jobs import landing_to_gold
from medallion_assets.orchestration.partitions import CALENDAR
from medallion_assets.orchestration.resources import LakehouseResource

# A default status is part of a definition, so it is read with it.
_STATUS = (
    dg.DefaultSensorStatus.RUNNING
    if os.environ.get("MEDALLION_SENSORS") == "on"
    else dg.DefaultSensorStatus.STOPPED
)
_EVERY_SECONDS = 15
_OPEN = [
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


class SensorSettings(dg.ConfigurableResource):
    """open_requests: runs of one sensor that may wait or go on at a time; what is beyond waits for a later tick."""

    open_requests: int = Field(default=4, ge=1)


@dataclass(frozen=True)
class _Desk:
    """Where requests are written, for the tables that there are."""

    tables: Mapping[str, Table]

    def request(
        self, tables: Iterable[str], first: str, last: str, state: Any, tags: Mapping[str, str] | None = None
    ) -> dg.RunRequest:
        """Of these tables and all that is made of them."""
        names = sorted(tables)
        asked = [self.tables[name] for name in names]
        below = [other for table in asked for other in descendants(table, self.tables.values())]
        keys = sorted({table.key for table in (*asked, *below)})
        digest = hashlib.sha256(json.dumps(state).encode()).hexdigest()[:16]
        span = {"dagster/asset_partition_range_start": first, "dagster/asset_partition_range_end": last}
        return dg.RunRequest(
            run_key=f"{' '.join(names)} {first}..{last} {digest}",
            asset_selection=[key_of(self.tables[key]) for key in keys],
            partition_key=first if first == last else None,
            tags={**(span if first != last else {}), **(tags or {})},
        )


def build_sensors(tables: Mapping[str, Table]) -> list[dg.SensorDefinition]:
    desk = _Desk(tables)
    return [_landed_files(desk), _watermarks(desk), _stale_gold(desk)]


def _landed_files(desk: _Desk) -> dg.SensorDefinition:
    @dg.sensor(
        name="landed_files",
        description="Requests the days whose landed files are new or changed, adjacent days together.",
        job=landing_to_gold,
        minimum_interval_seconds=_EVERY_SECONDS,
        default_status=_STATUS,
    )
    def sensor(
        context: dg.SensorEvaluationContext, lakehouse: LakehouseResource, sensor_settings: SensorSettings
    ) -> dg.SensorResult:
        landed, taken, notes = landing_state(
            desk.tables.values(), lakehouse.landing_root, lakehouse.lake_root
        )
        notes += [f"{table} {day}: all its files are gone" for table, day in lost_days(landed, taken)]
        outside = {at for at in landed if not CALENDAR.has_partition_key(at[1])}
        notes += [f"{table} {day}: outside the calendar" for table, day in sorted(outside)]
        inside = {at: state for at, state in landed.items() if at not in outside}
        memory = _recalled(context.cursor)
        requests, memory = days_to_land(inside, taken, memory, _room(context, sensor_settings))
        return _answer(
            [desk.request(r.tables, r.first, r.last, r.state) for r in requests],
            json.dumps({"seen": _texts(memory.seen), "asked": _texts(memory.asked)}),
            notes,
        )

    return sensor


def _watermarks(desk: _Desk) -> dg.SensorDefinition:
    @dg.sensor(
        name="watermarks",
        description="Requests today for the tables whose followed source has something new.",
        job=landing_to_gold,
        minimum_interval_seconds=_EVERY_SECONDS,
        default_status=_STATUS,
    )
    def sensor(
        context: dg.SensorEvaluationContext, lakehouse: LakehouseResource, sensor_settings: SensorSettings
    ) -> dg.SensorResult:
        today = f"{datetime.now(timezone.utc):%Y-%m-%d}"
        news, notes = sources_with_news(desk.tables.values(), lakehouse.lake_root)
        states = {name: f"{today} {state}" for name, state in news.items()}
        asked = json.loads(context.cursor or "{}")
        names, asked = ask_once(states, asked, _room(context, sensor_settings))
        return _answer(
            [desk.request([name], today, today, states[name]) for name in names], json.dumps(asked), notes
        )

    return sensor


def _stale_gold(desk: _Desk) -> dg.SensorDefinition:
    @dg.sensor(
        name="stale_gold",
        description="Requests the gold tables whose inputs are newer, unless a run is about to bring them up to date.",
        job=landing_to_gold,
        minimum_interval_seconds=_EVERY_SECONDS,
        default_status=_STATUS,
    )
    def sensor(
        context: dg.SensorEvaluationContext, lakehouse: LakehouseResource, sensor_settings: SensorSettings
    ) -> dg.SensorResult:
        states, days = {}, {}
        busy = _tables_of_open_runs(context.instance)
        for table in desk.tables.values():
            if table.layer != "gold" or isinstance(table.write, Extract) or busy & {table.key, "*"}:
                continue
            late = behind(lakehouse.lake_root, table)
            if late:
                in_calendar = sorted(day for day in late.days if CALENDAR.has_partition_key(day))
                states[table.key] = json.dumps(late.now)
                # The step takes all touched days along, and finds those of a moved dimension itself.
                days[table.key] = in_calendar or [CALENDAR.get_last_partition_key()]
        asked = json.loads(context.cursor or "{}")
        names, asked = ask_once(states, asked, _room(context, sensor_settings))
        return _answer(
            [
                desk.request(
                    [name],
                    days[name][0],
                    days[name][0],
                    states[name],
                    {"medallion/touched_days": _listed(days[name])},
                )
                for name in names
            ],
            json.dumps(asked),
            [],
        )

    return sensor


def _room(context: dg.SensorEvaluationContext, settings: SensorSettings) -> int:
    """How many requests the sensor may still make."""
    own = dg.RunsFilter(tags={"dagster/sensor_name": context.sensor_name}, statuses=_OPEN)
    return settings.open_requests - context.instance.get_runs_count(own)


def _tables_of_open_runs(instance: dg.DagsterInstance) -> set[str]:
    """The tables that a run is about to write; "*" stands for all."""
    found: set[str] = set()
    for run in instance.get_runs(dg.RunsFilter(statuses=_OPEN)):
        chosen = run.asset_selection
        found |= {key.to_user_string() for key in chosen} if chosen is not None else {"*"}
    return found


def _answer(requests: list[dg.RunRequest], cursor: str, notes: Sequence[str]) -> dg.SensorResult:
    if requests:
        return dg.SensorResult(run_requests=requests, cursor=cursor)
    return dg.SensorResult(skip_reason=_listed(notes, "; ") or "Nothing new.", cursor=cursor)


def _recalled(cursor: str | None) -> Memory:
    kept = json.loads(cursor) if cursor else {"seen": {}, "asked": {}}
    return Memory(**{name: {_at(text): state for text, state in kept[name].items()} for name in kept})


def _texts(states: Mapping[At, str]) -> dict[str, str]:
    return {" ".join(at): state for at, state in states.items()}


def _at(text: str) -> At:
    table, day = text.split(" ")
    return table, day


def _listed(texts: Sequence[str], mark: str = " ") -> str:
    return mark.join(texts[:20]) + (f" and {len(texts) - 20} more" if len(texts) > 20 else "")
