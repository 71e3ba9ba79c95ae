"""A line of what `make doctor` prints, and times in it."""

from datetime import datetime, timedelta, timezone
from typing import NamedTuple

WARN, FAIL = "WARN", "FAIL"


class Line(NamedTuple):
    """One line of the output: OK where there is nothing to do, else `level`."""

    what: str
    where: str
    todo: str = ""
    level: str = WARN


def age_of(timestamp: float) -> timedelta:
    """Since that time."""
    return datetime.now(timezone.utc) - datetime.fromtimestamp(timestamp, timezone.utc)


def span(age: timedelta) -> str:
    """In words, such as "5 h"."""
    minutes = int(age.total_seconds() // 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h" if minutes < 2880 else f"{age.days} d"
