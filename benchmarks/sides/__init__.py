"""The sides of a comparison, each a class: made with the folder of its state, then asked for one load after another.

Each is imported by the process that needs it, so that DuckDB's process holds no Spark.
"""

from collections.abc import Callable
from importlib import import_module
from typing import Protocol

from benchmarks.cases import Load
from benchmarks.places import Places
from benchmarks.probe import Probe

SIDES = {
    "ours": ("benchmarks.sides.ours", "Ours"),
    "ours_no_rules": ("benchmarks.sides.ours", "OursWithoutRules"),
    "bare": ("benchmarks.sides.bare", "Bare"),
    "duckdb": ("benchmarks.sides.duck", "Duck"),
    "limit": ("benchmarks.sides.limit", "Limit"),
}


class Side(Protocol):
    """jobs_started: how many Spark jobs its session has started so far."""

    @property
    def jobs_started(self) -> Callable[[], int]: ...

    def load(self, load: Load, probe: Probe) -> None: ...


def begin(name: str, places: Places, layers: tuple[str, ...]) -> Side:
    """Starts the side's session, where it has one."""
    module, kind = SIDES[name]
    return getattr(import_module(module), kind)(places, layers)
