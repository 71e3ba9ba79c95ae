"""One side, in a process of its own: `python -m benchmarks.process '<json>'` prints its costs as JSON at its end.

Neither the start of the session nor the loads before the last one are counted.
"""

import gc
import json
import sys
import time
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path

from benchmarks.cases import Load
from benchmarks.places import Places
from benchmarks.probe import Cost, Probe, count_calls
from benchmarks.process_tree import processor_seconds
from benchmarks.sides import begin


@dataclass(frozen=True)
class Order:
    """What a process is to do.

    source: the landed files of the case; folder: that of the side's state; loads: the last one is measured
    """

    side: str
    source: str
    folder: str
    loads: list[Load]
    layers: tuple[str, ...]


@dataclass
class Measured:
    """Of a load.

    session: seconds until the side could begin; total: of the load
    memory: bytes, at most
    bytes: of each table; totals: by which the tables of sides are compared
    """

    session: float
    total: Cost
    steps: dict[str, Cost]
    memory: int = 0
    bytes: dict[str, int] = field(default_factory=dict)
    totals: dict[str, list[str]] = field(default_factory=dict)


def run(order: Order) -> Measured:
    places, began = Places(Path(order.folder)), time.monotonic()
    count_calls()
    side = begin(order.side, places, tuple(order.layers))
    session = time.monotonic() - began
    steps: dict[str, Cost] = {}
    seconds = processor = 0.0
    for load in order.loads:
        places.land(load, Path(order.source))
        probe = Probe(places.lake, side.jobs_started)
        before, began = processor_seconds(), time.monotonic()
        side.load(load, probe)
        seconds, processor = time.monotonic() - began, processor_seconds() - before
        steps = probe.steps
        gc.collect()
    total = Cost(**{f.name: sum(getattr(cost, f.name) for cost in steps.values()) for f in fields(Cost)})
    return Measured(session, replace(total, seconds=seconds, processor=processor), steps)


def measured(text: str) -> Measured:
    """What a process printed."""
    found = json.loads(text)
    steps = {name: Cost(**cost) for name, cost in found["steps"].items()}
    return Measured(**found | {"total": Cost(**found["total"]), "steps": steps})


def main() -> int:
    given = json.loads(sys.argv[1])
    order = Order(**given | {"loads": [Load(**load) for load in given["loads"]]})
    print(json.dumps(asdict(run(order))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
