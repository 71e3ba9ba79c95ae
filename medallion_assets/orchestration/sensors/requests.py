"""Pure decisions of the sensors: what to request, and what to remember having requested."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from medallion_assets.contracts.days import TableDay, ranges


@dataclass(frozen=True)
class Memory:
    """What a sensor keeps between two ticks, of the days whose state in the landing is not that in the lake.

    seen: the state at the last tick; asked: the state for which a run was requested
    """

    seen: Mapping[TableDay, str] = field(default_factory=dict[TableDay, str])
    asked: Mapping[TableDay, str] = field(default_factory=dict[TableDay, str])


@dataclass(frozen=True)
class Request:
    """A day (first == last) or a range of days, of these tables. `state` tells this request from any other."""

    first: str
    last: str
    tables: frozenset[str]
    state: tuple[tuple[TableDay, str], ...]


def days_to_land(
    landed: Mapping[TableDay, str],
    ingested: Mapping[TableDay, str],
    memory: Memory,
    free_slots: int,
    busy: Callable[[TableDay], bool] = lambda at: False,
) -> tuple[list[Request], Memory]:
    """At most `free_slots` requests, for days whose state is not the ingested one, settled and not yet requested.

    A state is settled if it is that of the last tick: a file may still be growing, and its clock need not be ours.
    busy: an open run is about to take the day
    """
    differing = {at: state for at, state in landed.items() if ingested.get(at) != state}
    asked = {at: state for at, state in memory.asked.items() if differing.get(at) == state}
    settled = {
        at: state
        for at, state in differing.items()
        if memory.seen.get(at) == state and asked.get(at) != state and not busy(at)
    }
    spans = ranges({day for _, day in settled})[: max(free_slots, 0)]
    requests = [_request(first, last, settled) for first, last in spans]
    for request in requests:
        asked |= dict(request.state)
    return requests, Memory(seen=differing, asked=asked)


def lost_days(landed: Mapping[TableDay, str], ingested: Mapping[TableDay, str]) -> list[TableDay]:
    """Days that were ingested and have no file any more."""
    return sorted(ingested.keys() - landed.keys())


def _request(first: str, last: str, settled: Mapping[TableDay, str]) -> Request:
    state = tuple(sorted((at, token) for at, token in settled.items() if first <= at[1] <= last))
    return Request(first, last, frozenset(table for (table, _), _ in state), state)


def ask_once(
    states: Mapping[str, str], asked: Mapping[str, str], free_slots: int, busy: Collection[str] = ()
) -> tuple[list[str], dict[str, str]]:
    """At most `free_slots` names whose state was not requested yet; and all requested states, with these.

    `busy` names are not requested now. What was requested of them is remembered, since their run may still fail.
    """
    still = {name: state for name, state in asked.items() if states.get(name) == state}
    new = sorted(name for name, state in states.items() if still.get(name) != state and name not in busy)
    chosen = new[: max(free_slots, 0)]
    return chosen, still | {name: states[name] for name in chosen}
