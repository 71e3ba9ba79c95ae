"""From a sensor's decision to Dagster's run requests, and what the sensor's cursor keeps."""

import hashlib
import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import dagster as dg
from pydantic import Field

from medallion_assets.contracts.days import TableDay
from medallion_assets.contracts.table import Table, descendants
from medallion_assets.orchestration.assets.specs import key_of
from medallion_assets.orchestration.jobs.asset_jobs import landing_to_gold
from medallion_assets.orchestration.sensors.open_runs import OPEN
from medallion_assets.orchestration.settings import SENSOR_STATUS

Tick = Callable[..., dg.SensorResult]


class SensorSettings(dg.ConfigurableResource[None]):
    """open_requests: how many runs of one sensor may be queued or running; further requests wait for a later tick."""

    open_requests: int = Field(default=4, ge=1)


def request_sensor(name: str, description: str) -> Callable[[Tick], dg.SensorDefinition]:
    """`dg.sensor` as all sensors that request runs have it."""
    return dg.sensor(  # pyright: ignore[reportUnknownMemberType]
        name=name,
        description=description,
        job=landing_to_gold,
        minimum_interval_seconds=15,
        default_status=SENSOR_STATUS,
    )


@dataclass(frozen=True)
class RunRequestBuilder:
    """Builds the run requests for these tables."""

    tables: Mapping[str, Table]

    def request(
        self, tables: Iterable[str], first: str, last: str, state: str, number: int, **tags: str
    ) -> dg.RunRequest:
        """A run of these tables, of all that is made of them, and of the generated tables (dates) that those need.

        state, number: Dagster silently drops a run key that was ever used. The state of the sources makes the key; the
        number, new with each request, allows a state that comes back.
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


def free_slots(context: dg.SensorEvaluationContext, settings: SensorSettings) -> int:
    """How many runs the sensor may still request."""
    own = dg.RunsFilter(tags={"dagster/sensor_name": context.sensor_name}, statuses=OPEN)
    return settings.open_requests - context.instance.get_runs_count(own)


def sensor_result(
    requests: list[dg.RunRequest], memory: dict[str, Any], notes: Sequence[str]
) -> dg.SensorResult:
    """The requests, or else the notes as the reason for none; and the cursor with what the sensor remembers."""
    cursor = json.dumps(memory | {"count": memory["count"] + len(requests)})
    if requests:
        return dg.SensorResult(run_requests=requests, cursor=cursor)
    return dg.SensorResult(skip_reason=listed(notes, "; ") or "Nothing new.", cursor=cursor)


def remembered(cursor: str | None) -> dict[str, Any]:
    """What the cursor keeps. count: the next request's number; a new cursor starts with the time, so none repeats."""
    return json.loads(cursor) if cursor else {"count": int(time.time()), "seen": {}, "asked": {}}


def as_texts(states: Mapping[TableDay, str]) -> dict[str, str]:
    return {" ".join(at): state for at, state in states.items()}


def as_table_days(texts: Mapping[str, str]) -> dict[TableDay, str]:
    return {(text.split(" ")[0], text.split(" ")[1]): state for text, state in texts.items()}


def listed(texts: Sequence[str], mark: str = " ") -> str:
    """The first twenty."""
    return mark.join(texts[:20]) + (f" and {len(texts) - 20} more" if len(texts) > 20 else "")
