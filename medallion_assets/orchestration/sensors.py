"""Sensors: the lake follows its sources by itself. No JVM, no data read: listings, ledgers, logs and one small query.

Each looks, lets a pure decision choose (`contracts/requests.py`), speaks, and keeps in its cursor what it asked for.
They are off until somebody turns them on, but for `make dev`, which sets MEDALLION_SENSORS=on.
"""

import hashlib
import json
import os
import time
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
STATUS = (
    dg.DefaultSensorStatus.RUNNING
    if os.environ.get("MEDALLION_SENSORS") == "on"
    else dg.DefaultSensorStatus.STOPPED
)
_ALIKE: Any = {"job": landing_to_gold, "minimum_interval_seconds": 15, "default_status": STATUS}
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
        self, tables: Iterable[str], first: str, last: str, state: str, number: int, **tags: str
    ) -> dg.RunRequest:
        """Of these tables, all that is made of them, and what that needs besides and has no source (the dates).

        The run key says what state of the sources it is about, and `number`, new with each request, keeps a state that
        comes back apart from the first time: a run key that was ever used is dropped without a word.
        """
        asked = [self.tables[name] for name in sorted(tables)]
        below = [other for table in asked for other in descendants(table, self.tables.values())]
        needed = {key for table in below for key in table.ancestor_keys}
        generated = [table for table in self.tables.values() if table.is_generated and table.key in needed]
        keys = sorted({table.key for table in (*asked, *below, *generated)})
        digest = hashlib.sha256(state.encode()).hexdigest()[:16]
        span = {"dagster/asset_partition_range_start": first, "dagster/asset_partition_range_end": last}
        return dg.RunRequest(
            run_key=f"{' '.join(table.key for table in asked)} {first}..{last} {digest} {number}",
            asset_selection=[key_of(self.tables[key]) for key in keys],
            partition_key=first if first == last else None,
            tags={**(span if first != last else {}), **tags},
        )


def build_sensors(tables: Mapping[str, Table]) -> list[dg.SensorDefinition]:
    desk = _Desk(tables)
    return [_landed_files(desk), _watermarks(desk), _stale_gold(desk)]


def _landed_files(desk: _Desk) -> dg.SensorDefinition:
    @dg.sensor(
        name="landed_files",
        description="Requests the days whose landed files are new or changed, adjacent days together.",
        **_ALIKE,
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
        kept = _recalled(context.cursor)
        memory = Memory(_ats(kept["seen"]), _ats(kept["asked"]))
        room, busy = _room(context, sensor_settings), _Open(context.instance).covers
        requests, memory = days_to_land(inside, taken, memory, room, busy)
        return _answer(
            [
                desk.request(r.tables, r.first, r.last, json.dumps(r.state), number)
                for number, r in enumerate(requests, kept["count"])
            ],
            kept | {"seen": _texts(memory.seen), "asked": _texts(memory.asked)},
            notes,
        )

    return sensor


def _watermarks(desk: _Desk) -> dg.SensorDefinition:
    @dg.sensor(
        name="watermarks",
        description="Requests today for the tables whose followed source has something new.",
        **_ALIKE,
    )
    def sensor(
        context: dg.SensorEvaluationContext, lakehouse: LakehouseResource, sensor_settings: SensorSettings
    ) -> dg.SensorResult:
        today = f"{datetime.now(timezone.utc):%Y-%m-%d}"
        news, notes = sources_with_news(desk.tables.values(), lakehouse.lake_root)
        states = {name: f"{today} {state}" for name, state in news.items()}
        kept = _recalled(context.cursor)
        names, asked = ask_once(states, kept["asked"], _room(context, sensor_settings))
        requests = [
            desk.request([name], today, today, states[name], number)
            for number, name in enumerate(names, kept["count"])
        ]
        return _answer(requests, kept | {"asked": asked}, notes)

    return sensor


def _stale_gold(desk: _Desk) -> dg.SensorDefinition:
    @dg.sensor(
        name="stale_gold",
        description="Requests the gold tables whose inputs are newer, unless a run is about to bring them up to date.",
        **_ALIKE,
    )
    def sensor(
        context: dg.SensorEvaluationContext, lakehouse: LakehouseResource, sensor_settings: SensorSettings
    ) -> dg.SensorResult:
        states, days, notes, busy = {}, {}, [], set()
        open_runs = _Open(context.instance)
        for table in desk.tables.values():
            if table.layer != "gold" or isinstance(table.write, Extract):
                continue
            if open_runs.write(table.key):
                notes.append(f"{table.key}: an open run is about to write it")
                busy.add(table.key)
            try:
                late = behind(lakehouse.lake_root, table)
            except Exception as error:  # a log that cannot be read must not keep back the other tables
                notes.append(f"{table.key}: {error}")
                continue
            if late:
                states[table.key] = f"{table.fingerprint} {json.dumps(late.before)} {json.dumps(late.now)}"
                # The step takes all touched days along, and finds those of a moved dimension itself.
                inside = sorted(day for day in late.days if CALENDAR.has_partition_key(day))
                days[table.key] = inside or [str(CALENDAR.get_last_partition_key())]
        kept = _recalled(context.cursor)
        names, asked = ask_once(states, kept["asked"], _room(context, sensor_settings), busy)
        # A request takes along all that is made of its table.
        names = [name for name in names if desk.tables[name].ancestor_keys.isdisjoint(names)]
        requests = [
            desk.request(
                [name], days[name][0], days[name][0], states[name], number, touched_days=_listed(days[name])
            )
            for number, name in enumerate(names, kept["count"])
        ]
        return _answer(requests, kept | {"asked": asked}, notes)

    return sensor


class _Open:
    """The runs that wait or go on: what they are about to write need not be asked for."""

    def __init__(self, instance: dg.DagsterInstance):
        self.runs = instance.get_runs(dg.RunsFilter(statuses=_OPEN))

    def write(self, table: str) -> bool:
        return any(_writes(run, table) for run in self.runs)

    def covers(self, at: At) -> bool:
        """Whether one of them takes the table's day."""
        table, day = at
        return any(_writes(run, table) and _takes(run, day) for run in self.runs)


def _writes(run: dg.DagsterRun, table: str) -> bool:
    """A run without a selection may write any table."""
    chosen = run.asset_selection
    return chosen is None or table in {key.to_user_string() for key in chosen}


def _takes(run: dg.DagsterRun, day: str) -> bool:
    """A run without days may take any."""
    one = run.tags.get("dagster/partition", "")
    first = one or run.tags.get("dagster/asset_partition_range_start", "0")
    return first <= day <= (one or run.tags.get("dagster/asset_partition_range_end", "9"))


def _room(context: dg.SensorEvaluationContext, settings: SensorSettings) -> int:
    """How many requests the sensor may still make."""
    own = dg.RunsFilter(tags={"dagster/sensor_name": context.sensor_name}, statuses=_OPEN)
    return settings.open_requests - context.instance.get_runs_count(own)


def _answer(requests: list[dg.RunRequest], kept: dict[str, Any], notes: Sequence[str]) -> dg.SensorResult:
    cursor = json.dumps(kept | {"count": kept["count"] + len(requests)})
    if requests:
        return dg.SensorResult(run_requests=requests, cursor=cursor)
    return dg.SensorResult(skip_reason=_listed(notes, "; ") or "Nothing new.", cursor=cursor)


def _recalled(cursor: str | None) -> dict[str, Any]:
    """count: of the requests made, from the time when the cursor was first written, so that no number comes twice."""
    return json.loads(cursor) if cursor else {"count": int(time.time()), "seen": {}, "asked": {}}


def _texts(states: Mapping[At, str]) -> dict[str, str]:
    return {" ".join(at): state for at, state in states.items()}


def _ats(texts: Mapping[str, str]) -> dict[At, str]:
    return {(text.split(" ")[0], text.split(" ")[1]): state for text, state in texts.items()}


def _listed(texts: Sequence[str], mark: str = " ") -> str:
    return mark.join(texts[:20]) + (f" and {len(texts) - 20} more" if len(texts) > 20 else "")
