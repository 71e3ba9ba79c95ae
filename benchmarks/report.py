"""The results as tables of text, and as JSON."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from benchmarks.process import Measured
from benchmarks.rounds import Result
from medallion_assets.commands.text_table import table

MB = 2**20


def case_text(name: str, result: Result) -> str:
    """All that was measured of a case."""
    medians = result.medians
    ours = medians.get("ours")
    parts = [f"{name}: {result.case.about}", _sides(medians)]
    if ours:
        other = _other(medians)
        parts += [_steps(ours, medians.get(other), other)]
        parts += [_bytes(ours, medians["bare"])] if "bare" in medians else []
    return "\n\n".join(parts)


def summary(results: Mapping[str, Result]) -> str:
    """A row a case: seconds of each side, and how often ours takes that of another."""
    names = [
        "case",
        "ours s",
        "bare s",
        "ratio",
        "duckdb s",
        "ratio",
        "limit s",
        "cpu: ours",
        "bare",
        "duckdb",
    ]
    return table(names, [_summary_row(name, result.medians) for name, result in results.items()])


def _summary_row(name: str, medians: Mapping[str, Measured]) -> tuple[object, ...]:
    seconds = {side: one.total.seconds for side, one in medians.items()}
    other = _other(medians)
    ours, bare, duck = (seconds.get(side) for side in ("ours", other, "duckdb"))
    figures = (ours, bare, _ratio(ours, bare), duck, _ratio(ours, duck), seconds.get("limit"))
    processor = {side: one.total.processor for side, one in medians.items()}
    figures += (processor.get("ours"), processor.get(other), processor.get("duckdb"))
    return name, *map(_one_digit, figures)


def _other(medians: Mapping[str, Measured]) -> str:
    """Where one side is ours without its rules, it takes the place of the bare script."""
    return "ours_no_rules" if "ours_no_rules" in medians else "bare"


def _sides(medians: Mapping[str, Measured]) -> str:
    names = [
        "side",
        "seconds",
        "cpu s",
        "session s",
        "peak MB",
        "jobs",
        "calls",
        "commits",
        "events",
        "MB stored",
    ]
    return table(
        names,
        [
            (
                side,
                _one_digit(one.total.seconds),
                _one_digit(one.total.processor),
                _one_digit(one.session),
                round(one.memory / MB),
                *_counts(one.total),
                _one_digit(sum(one.bytes.values()) / MB),
            )
            for side, one in medians.items()
        ],
    )


def _steps(ours: Measured, bare: Measured | None, name: str) -> str:
    names = (
        "step",
        "seconds",
        f"{name} s",
        "cpu s",
        name,
        "jobs",
        name,
        "calls",
        name,
        "commits",
        name,
        "events",
    )
    rows = []
    for step, cost in ours.steps.items():
        other = bare.steps.get(step) if bare else None
        jobs, calls, commits, events = _counts(cost)
        there = _counts(other) if other else (None,) * 4
        seconds = (_one_digit(cost.seconds), _one_digit(other.seconds if other else None))
        processor = (_one_digit(cost.processor), _one_digit(other.processor if other else None))
        rows.append((step, *seconds, *processor, jobs, there[0], calls, there[1], commits, there[2], events))
    return table(names, rows)


def _bytes(ours: Measured, bare: Measured) -> str:
    names = ("table", "bytes", "bare", "ratio")
    rows = [
        (key, size, bare.bytes.get(key), _one_digit(_ratio(size, bare.bytes.get(key))))
        for key, size in ours.bytes.items()
    ]
    return table(names, rows)


def _counts(cost: Any) -> tuple[int, int, int, int]:
    return round(cost.jobs), round(cost.calls), round(cost.commits), round(cost.events)


def _ratio(ours: float | None, other: float | None) -> float | None:
    return ours / other if ours and other else None


def _one_digit(figure: float | None) -> float | None:
    """A small figure keeps two digits, since a tenth of it would be lost."""
    return None if figure is None else round(figure, 2 if figure < 10 else 1)


def as_json(results: Mapping[str, Result]) -> dict[str, Any]:
    """Case -> what it is, its medians and all rounds."""
    return {
        name: {
            "about": result.case.about,
            "medians": {side: asdict(one) for side, one in result.medians.items()},
            "rounds": [{side: asdict(one) for side, one in found.items()} for found in result.rounds],
        }
        for name, result in results.items()
    }
