"""Pure decisions of the sensors: what to ask for, and what to remember having asked."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from medallion_assets.contracts.days import TableDay, ranges


@dataclass(frozen=True)
class Memory:
    """What a sensor keeps between two ticks: the state last seen of a day that is not taken, and the one asked for."""

    seen: Mapping[TableDay, str] = field(default_factory=dict)
    asked: Mapping[TableDay, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Request:
    """A day (first == last) or a range of days, of these tables. `state` tells this request from any other."""

    first: str
    last: str
    tables: frozenset[str]
    state: tuple[tuple[TableDay, str], ...]


def days_to_land(
    landed: Mapping[TableDay, str],
    taken: Mapping[TableDay, str],
    memory: Memory,
    room: int,
    busy: Callable[[TableDay], bool] = lambda at: False,
) -> tuple[list[Request], Memory]:
    """At most `room` requests for days whose state differs from what was taken, was not asked for, and has settled.

    Settled: as it was at the last tick, since a file may still be growing, and its clock need not be ours. `busy`: a
    run is about to take it.
    """
    differing = {at: state for at, state in landed.items() if taken.get(at) != state}
    asked = {at: state for at, state in memory.asked.items() if differing.get(at) == state}
    settled = {
        at: state
        for at, state in differing.items()
        if memory.seen.get(at) == state and asked.get(at) != state and not busy(at)
    }
    requests = [
        _request(first, last, settled) for first, last in ranges({day for _, day in settled})[: max(room, 0)]
    ]
    for request in requests:
        asked |= dict(request.state)
    return requests, Memory(seen=differing, asked=asked)


def lost_days(landed: Mapping[TableDay, str], taken: Mapping[TableDay, str]) -> list[TableDay]:
    """Days that were taken and have no file any more."""
    return sorted(taken.keys() - landed.keys())


def _request(first: str, last: str, settled: Mapping[TableDay, str]) -> Request:
    state = tuple(sorted((at, mark) for at, mark in settled.items() if first <= at[1] <= last))
    return Request(first, last, frozenset(table for (table, _), _ in state), state)


def ask_once(
    states: Mapping[str, str], asked: Mapping[str, str], room: int, busy: Collection[str] = ()
) -> tuple[list[str], dict[str, str]]:
    """At most `room` names whose state was not asked for yet, and what has been asked for then.

    `busy` names are not asked for now, and what was asked of them is remembered: their run may yet fail.
    """
    still = {name: state for name, state in asked.items() if states.get(name) == state}
    new = sorted(name for name, state in states.items() if still.get(name) != state and name not in busy)
    chosen = new[: max(room, 0)]
    return chosen, still | {name: states[name] for name in chosen}
