"""Counts what each step costs: seconds, processor seconds, Spark jobs, calls into the JVM, commits, Dagster events."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from py4j.java_gateway import GatewayClient
from py4j.protocol import MEMORY_COMMAND_NAME

from benchmarks.process_tree import processor_seconds


@dataclass
class Cost:
    """Of a step, or of a whole load."""

    seconds: float = 0.0
    processor: float = 0.0
    jobs: int = 0
    calls: int = 0
    commits: int = 0
    events: int = 0


@dataclass
class Probe:
    """lake: where commits are counted; jobs_started: how many Spark jobs the session has started so far."""

    lake: Path
    jobs_started: Callable[[], int] = lambda: 0
    steps: dict[str, Cost] = field(default_factory=dict)
    _begun: dict[str, Cost] = field(default_factory=dict)

    def begin(self, step: str) -> None:
        jobs, commits = self.jobs_started(), _commits(self.lake)
        self._begun[step] = Cost(time.monotonic(), processor_seconds(), jobs, _calls[0], commits)

    def end(self, step: str) -> None:
        now, used, calls, begun = time.monotonic(), processor_seconds(), _calls[0], self._begun.pop(step)
        cost = self.steps.setdefault(step, Cost())
        cost.seconds += now - begun.seconds
        cost.processor += used - begun.processor
        cost.calls += calls - begun.calls
        cost.jobs += self.jobs_started() - begun.jobs
        cost.commits += _commits(self.lake) - begun.commits

    def event(self, step: str) -> None:
        self.steps.setdefault(step, Cost()).events += 1

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        self.begin(name)
        yield
        self.end(name)


_calls = [0]


def count_calls() -> None:
    """From now on calls into the JVM are counted, but for those that release what Python no longer needs."""
    send = GatewayClient.send_command

    def counted(self: GatewayClient, command: str, *others: Any, **named: Any) -> Any:
        # Releases come when Python collects garbage: with them no two runs would have the same number.
        _calls[0] += not command.startswith(MEMORY_COMMAND_NAME)
        return send(self, command, *others, **named)

    GatewayClient.send_command = counted  # type: ignore[method-assign]


def _commits(lake: Path) -> int:
    """Of all tables of a lake, its ledgers included. The folders of their days are not walked."""
    found = 0
    for folder, names, _ in os.walk(lake):
        if "_delta_log" in names:
            found += sum(file.suffix == ".json" for file in Path(folder, "_delta_log").iterdir())
            names.clear()
    return found
