"""Days of tables, as text (`2026-01-05`), one by one and as ranges."""

from collections.abc import Collection
from datetime import date, timedelta

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
