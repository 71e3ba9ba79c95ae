"""From a sensor's decision to Dagster's run requests, and what its cursor keeps."""

import hashlib
import json
import time
from collections.abc import Iterable, Mapping, Sequence
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

ALIKE: Any = {"job": landing_to_gold, "minimum_interval_seconds": 15, "default_status": SENSOR_STATUS}


class SensorSettings(dg.ConfigurableResource):
    """open_requests: runs of one sensor that may wait or go on at a time; what is beyond waits for a later tick."""

    open_requests: int = Field(default=4, ge=1)


@dataclass(frozen=True)
class RunRequestBuilder:
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


def free_slots(context: dg.SensorEvaluationContext, settings: SensorSettings) -> int:
    """How many requests the sensor may still make."""
    own = dg.RunsFilter(tags={"dagster/sensor_name": context.sensor_name}, statuses=OPEN)
    return settings.open_requests - context.instance.get_runs_count(own)


def sensor_result(
    requests: list[dg.RunRequest], kept: dict[str, Any], notes: Sequence[str]
) -> dg.SensorResult:
    cursor = json.dumps(kept | {"count": kept["count"] + len(requests)})
    if requests:
        return dg.SensorResult(run_requests=requests, cursor=cursor)
    return dg.SensorResult(skip_reason=listed(notes, "; ") or "Nothing new.", cursor=cursor)


def recalled(cursor: str | None) -> dict[str, Any]:
    """count: of the requests made, from the time when the cursor was first written, so that no number comes twice."""
    return json.loads(cursor) if cursor else {"count": int(time.time()), "seen": {}, "asked": {}}


def as_texts(states: Mapping[TableDay, str]) -> dict[str, str]:
    return {" ".join(at): state for at, state in states.items()}


def as_table_days(texts: Mapping[str, str]) -> dict[TableDay, str]:
    return {(text.split(" ")[0], text.split(" ")[1]): state for text, state in texts.items()}


def listed(texts: Sequence[str], mark: str = " ") -> str:
    return mark.join(texts[:20]) + (f" and {len(texts) - 20} more" if len(texts) > 20 else "")
