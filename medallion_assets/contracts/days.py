"""Days of tables, as text (`2026-01-05`), one by one and as ranges; and times that people write."""

from collections.abc import Collection
from datetime import date, datetime, timedelta, timezone

TableDay = tuple[str, str]
"""(table, day)"""

MAX_DAYS_PER_RUN = 100
"""Days of one request: a backlog is a few runs, and none of them is endless."""


def ranges(days: Collection[str], most: int = MAX_DAYS_PER_RUN) -> list[tuple[str, str]]:
    """Adjacent days as (first, last), oldest first, none longer than `most`."""
    found: list[tuple[date, date]] = []
    for day in sorted(map(date.fromisoformat, days)):
        if found and day - found[-1][1] == timedelta(days=1) and (day - found[-1][0]).days < most:
            found[-1] = (found[-1][0], day)
        else:
            found.append((day, day))
    return [(str(first), str(last)) for first, last in found]


def utc_today() -> str:
    return f"{datetime.now(timezone.utc):%Y-%m-%d}"


def as_moment(text: str) -> datetime:
    """A time as ISO 8601, in UTC where it names no zone. ValueError."""
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))  # of which Python 3.10 knows no Z
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
