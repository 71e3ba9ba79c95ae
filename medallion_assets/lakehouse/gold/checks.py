"""The checks of one event day of gold, a cause before its consequences; the blocking ones hold the day back."""

from datetime import date
from decimal import Decimal
from typing import Any

from medallion_assets.contracts.checks import Check, Verdict, blocking_failure
from medallion_assets.contracts.gold import GoldTable
from medallion_assets.lakehouse.bronze.checks import FILES_READABLE
from medallion_assets.lakehouse.gold.day_metrics import ExtractDayMetrics, GoldDayMetrics


def gold_checks(table: GoldTable) -> list[Check[GoldDayMetrics]]:
    """A row that comes twice also puts out the totals, so it is looked for first."""
    by_day = not table.write.replaces_whole
    wanted = [
        (_grain_unique(table.grain), bool(table.grain)),
        (_RECONCILES, True),
        (_OUTSIDE_CALENDAR, by_day),
        (_NOT_NEGATIVE, bool(table.measures)),
        (_DAY_COMPLETE, by_day and bool(table.measures)),
    ]
    return [check for check, is_wanted in wanted if is_wanted]


def extract_checks() -> list[Check[ExtractDayMetrics]]:
    """Of a table whose days are made straight from landed files."""
    return [FILES_READABLE, _NO_BROKEN_ROWS]


def blocked_by(table: GoldTable, day: GoldDayMetrics) -> str | None:
    """The blocking check that keeps the day from being written."""
    return blocking_failure(gold_checks(table), day)


def _grain_unique(grain: tuple[str, ...]) -> Check[GoldDayMetrics]:
    return Check(
        "grain_unique",
        f"No two rows have the same {', '.join(grain)}.",
        lambda day: Verdict(not day.repeated, {"rows": day.rows, "repeated": day.repeated}),
        blocking=True,
    )


def _reconciles(day: GoldDayMetrics) -> Verdict:
    totals = {f"written_{name}": as_number(value) for name, value in day.written.items()}
    totals |= {f"silver_{name}": as_number(value) for name, value in day.expected.items()}
    return Verdict(day.reconciles, {**totals, "state": "STALE" if day.input_is_newer else "CURRENT"})


_RECONCILES = Check(
    "reconciles_with_silver",
    "Totals equal silver's before the joins, to the cent.",
    _reconciles,
    blocking=True,
)
_OUTSIDE_CALENDAR = Check[GoldDayMetrics](
    "outside_calendar",
    "No row of the day has an event day outside the calendar, or none.",
    lambda day: Verdict(not day.outside_days, {"event_days": list(day.outside_days)}),
    "WARN",
)
_NOT_NEGATIVE = Check[GoldDayMetrics](
    "not_negative",
    "No measure is negative that may not be.",
    lambda day: Verdict(not day.negative, {"rows": day.rows, "negative": day.negative}),
)
_DAY_COMPLETE = Check[GoldDayMetrics](
    "day_complete",
    "The day has rows if, and only if, it has facts.",
    lambda day: Verdict(day.is_complete, {"rows": day.rows, "facts": day.facts}),
)
_NO_BROKEN_ROWS = Check[ExtractDayMetrics](
    "no_broken_rows",
    "No row of the day's files was left out for breaking a rule.",
    lambda day: Verdict(not day.broken, {"broken": day.broken, "rows": day.rows}),
    "WARN",
)


def as_number(value: Any) -> Any:
    """A total as JSON has it: decimals as floats, dates as text."""
    return float(value) if isinstance(value, Decimal) else str(value) if isinstance(value, date) else value
