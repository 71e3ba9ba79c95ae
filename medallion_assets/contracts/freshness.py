"""When a table's data is expected: on which days, and by when."""

import re
from collections.abc import Collection
from datetime import date, datetime, timedelta

WEEKEND = ("SATURDAY", "SUNDAY")
_WEEKDAYS = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", *WEEKEND)


def validate_days_off(days_off: Collection[str]) -> None:
    """ValueError where one is neither the English name of a weekday nor a date."""
    for day in days_off:
        if day not in _WEEKDAYS and not re.fullmatch(r"\d{4}-\d\d-\d\d", day):
            raise ValueError(
                f"days_off: {day!r} is neither a weekday, such as SUNDAY, nor a date, such as 2026-12-25"
            )


def is_off(day: str, days_off: Collection[str]) -> bool:
    return day in days_off or _WEEKDAYS[date.fromisoformat(day).weekday()] in days_off


def last_due_day(now: datetime, due: timedelta, days_off: Collection[str]) -> str:
    """The newest day whose data had to be there by `now`: `due` after the day's end (UTC)."""
    day = (now - due).date() - timedelta(days=1)
    while is_off(str(day), days_off):
        day -= timedelta(days=1)
    return str(day)
