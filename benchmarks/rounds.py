"""Runs a case: each side in a process of its own, in turn, over some rounds; so neither warms up the other."""

import json
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from benchmarks import ROOT, data, stored
from benchmarks.cases import Case, Load
from benchmarks.places import Places
from benchmarks.probe import Cost
from benchmarks.process import Measured, Order, measured
from benchmarks.process_tree import peak_of


class SideFailed(Exception):
    """A side ended with an error. The message has what it said."""


class SidesDiffer(Exception):
    """Two sides made different tables: their seconds cannot be compared."""


@dataclass(frozen=True)
class Result:
    """Of a case: of each round, side -> what was measured."""

    case: Case
    rounds: list[dict[str, Measured]]

    @property
    def medians(self) -> dict[str, Measured]:
        """Side -> the median of each figure."""
        return {side: _median([one[side] for one in self.rounds]) for side in self.rounds[0]}


def run_case(case: Case, sides: Sequence[str], rounds: int, cache: Path) -> Result:
    """SideFailed, SidesDiffer."""
    source = data.landing(case.data, cache)
    found: list[dict[str, Measured]] = []
    with tempfile.TemporaryDirectory(dir=cache) as folder:
        bases = {side: _base(case, side, source, Path(folder)) for side in sides}
        for _ in range(rounds):
            found.append({side: _round(case, side, source, Path(folder), bases[side]) for side in sides})
    _compare(found[0])
    return Result(case, found)


def _base(case: Case, side: str, source: Path, folder: Path) -> Path | None:
    """What the loads before the measured one leave behind; None if there are none. The limit needs none."""
    if not case.base or side == "limit":
        return None
    places = Places(folder / f"{side}-base")
    places.make(None)
    _process(Order(side, str(source), str(places.folder), list(case.base), tuple(case.layers)), places)
    return places.folder


def _round(case: Case, side: str, source: Path, folder: Path, base: Path | None) -> Measured:
    places = Places(folder / side)
    places.make(base)
    loads: list[Load] = [*case.warm, case.load]
    found = _process(Order(side, str(source), str(places.folder), loads, tuple(case.layers)), places)
    found.bytes = stored.table_bytes(places.lake)
    found.totals = stored.totals(places.lake) if side != "limit" else {}
    shutil.rmtree(places.folder)
    return found


def _process(order: Order, places: Places) -> Measured:
    command = [sys.executable, "-m", "benchmarks.process", json.dumps(asdict(order))]
    with tempfile.TemporaryFile("w+") as said, tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(
            command, cwd=ROOT, env=places.environment(), stdout=said, stderr=errors, text=True
        )
        peak = peak_of(process)
        said.seek(0)
        errors.seek(0)
        if process.returncode:
            raise SideFailed(f"{order.side} failed:\n{errors.read()[-4000:]}")
        found = measured(said.read().splitlines()[-1])
    found.memory = peak
    return found


def _compare(found: dict[str, Measured]) -> None:
    known = {side: one.totals for side, one in found.items() if one.totals}
    first, *others = known or [""]
    for other in others:
        differ = [key for key in known[first] if known[first][key] != known[other].get(key)]
        lines = [f"{key}: {first} {known[first][key]}, {other} {known[other].get(key)}" for key in differ]
        if lines:
            raise SidesDiffer("\n".join(lines))


def _median(rounds: Sequence[Measured]) -> Measured:
    """Of figures; bytes and totals are those of the last round."""
    names = rounds[-1].steps
    return Measured(
        session=statistics.median(one.session for one in rounds),
        total=_median_cost([one.total for one in rounds]),
        steps={
            name: _median_cost([one.steps[name] for one in rounds if name in one.steps]) for name in names
        },
        memory=int(statistics.median(one.memory for one in rounds)),
        bytes=rounds[-1].bytes,
        totals=rounds[-1].totals,
    )


def _median_cost(costs: Sequence[Cost]) -> Cost:
    return Cost(**{f.name: statistics.median(getattr(cost, f.name) for cost in costs) for f in fields(Cost)})
