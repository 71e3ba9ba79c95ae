"""Figures over days, of what the control tables say: one number, or None, for each day of the report."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from medallion_assets.contracts.days import TableDay
from medallion_assets.contracts.freshness import is_off
from medallion_assets.contracts.silver import SilverTable
from medallion_assets.contracts.table import Table
from medallion_assets.lakehouse.control.run_log import BLOCKED, OK, RunEntry
from medallion_assets.lakehouse.silver.day_metrics import OUTCOMES
from medallion_assets.report.records import Records
from medallion_assets.tables import LAYERS

Series = Mapping[str, Sequence[float | None]]
"""Name -> a figure for each day."""
Sums = dict[str, list[float]]
MOST = 8
"""Series of one chart; the smallest ones beyond are one."""
OTHERS = "all others"
WAITING = "refused or waiting"
"""Rows in bronze that have no outcome in silver."""


def by_day(days: Sequence[str], figures: Iterable[tuple[str, str, float]]) -> Sums:
    """(name, day, figure) summed up; 0 for a day without one; names with the largest sums first."""
    sums: dict[str, dict[str, float]] = defaultdict(lambda: dict.fromkeys(days, 0.0))
    for name, day, figure in figures:
        sums[name][day] += figure
    names = sorted(sums, key=lambda name: -sum(sums[name].values()))
    return {name: [*sums[name].values()] for name in names}


def largest(series: Sums) -> Sums:
    """The eight largest of them, and the sum of all others."""
    names = [*series]
    if len(names) <= MOST + 1:
        return series
    rest = zip(*(series[name] for name in names[MOST:]), strict=True)
    return {name: series[name] for name in names[:MOST]} | {OTHERS: [sum(day, 0.0) for day in rest]}


def rows_by_outcome(table: SilverTable, records: Records) -> Sums:
    """Of the rows that landed for the table, and those that have none; an outcome that no row has is left out."""
    of_table = [entry for entry in records.folded if entry.table_name == table.key]
    figures = [(name, entry.day, getattr(entry, name)) for entry in of_table for name in OUTCOMES]
    found = by_day(records.days, figures)
    done = [sum(of_day) for of_day in zip(*found.values(), strict=True)] or [0.0] * len(records.days)
    found[WAITING] = [
        max(rows - known, 0.0) for rows, known in zip(landed_rows(table, records), done, strict=True)
    ]
    return {name: found[name] for name in (*OUTCOMES, WAITING) if any(found.get(name, ()))}


def landed_rows(table: SilverTable, records: Records) -> list[float]:
    """What bronze has of the table's inputs; as many rows have an outcome where the day is published."""
    inputs = {source.key for source in table.inputs}
    landed = [("landed", e.day, e.rows) for e in records.landed if e.table_name in inputs]
    return by_day(records.days, landed).get("landed", [0.0] * len(records.days))


def quality_scores(records: Records) -> Series:
    """Table -> the mean score of each day's rows, 0 to 100; None of a day without rows."""
    scores = by_day(records.days, [(e.table_name, e.day, e.score_sum) for e in records.folded])
    judged = by_day(records.days, [(e.table_name, e.day, e.rows - e.void) for e in records.folded])
    return {key: [*map(_mean, scores[key], judged[key])] for key in sorted(judged)}


def _mean(score: float, rows: float) -> float | None:
    return round(score / rows, 2) if rows else None


def broken_by_rule(records: Records) -> Series:
    """`silver/orders order_status_one_of` -> the rows that break the rule; of a refused day, what its checks found."""
    refused = {at: run.run_id for at, run in records.last_runs.items() if run.status == BLOCKED}
    folded = [
        (f"{entry.table_name} {rule}", entry.day, rows)
        for entry in records.folded
        for rule, rows in entry.broken.items()
        if (entry.table_name, entry.day) not in refused
    ]
    found = [
        (f"{check.asset} {check.check_name}", check.day, json.loads(check.figures).get("broken", 0))
        for check in records.failed_checks
        if refused.get((check.asset, check.day)) == check.run_id
    ]
    named = [(rule, day, rows) for rule, day, rows in (*folded, *found) if rows]
    return largest(by_day(records.days, named))


def seconds_by_layer(records: Records) -> Series:
    """Of all runs of the day."""
    return _by_layer(records, [(run, run.seconds or 0.0) for run in records.runs])


def written_again(records: Records) -> Series:
    """Layer -> tables that a later run wrote once more after the day was published: late rows, or changed files."""
    published: set[TableDay] = set()
    again: dict[TableDay, RunEntry] = {}
    for run in records.runs:
        at = (run.asset, run.day)
        if run.status == OK and at in published and run.version_after != run.version_before:
            again[at] = run
        published |= {at} if run.status == OK else set()
    return _by_layer(records, [(run, 1) for run in again.values()])


def _by_layer(records: Records, figures: Iterable[tuple[RunEntry, float]]) -> Series:
    found = by_day(records.days, [(run.asset.partition("/")[0], run.day, figure) for run, figure in figures])
    return {layer: [round(figure, 2) for figure in found[layer]] for layer in LAYERS if layer in found}


@dataclass(frozen=True)
class LateDay:
    """A day that was published after it was due, or (since: None) is not yet."""

    table: str
    day: str
    due: datetime
    since: datetime | None
    late: timedelta


def late_days(tables: Iterable[Table], records: Records, now: datetime) -> list[LateDay]:
    """Of the tables whose contract says when a day is due, days off left out; the newest first."""
    published: dict[TableDay, datetime] = {}
    for run in records.runs:
        if run.status == OK:
            published.setdefault((run.asset, run.day), run.timestamp)
    found: list[LateDay] = []
    for table in (table for table in tables if table.due is not None):
        for day in (day for day in records.days if not is_off(day, table.days_off)):
            due = _end_of(day) + (table.due or timedelta())
            since = published.get((table.key, day))
            if (since or now) > due:
                found.append(LateDay(table.key, day, due, since, (since or now) - due))
    return sorted(found, key=lambda late: late.day, reverse=True)


def _end_of(day: str) -> datetime:
    return datetime.fromisoformat(day).replace(tzinfo=timezone.utc) + timedelta(days=1)
