"""Which days the report shows: by the logs of the tables alone, so that no control table is read whole."""

from collections.abc import Collection, Iterable
from datetime import date, timedelta

from medallion_assets.contracts.table import Table
from medallion_assets.lakehouse.control.run_log import RUN_LEDGER
from medallion_assets.lakehouse.storage import transaction_log

SHOWN = 30
"""Days of a report of which nobody said the first."""
LONGEST = 100
"""Of a range of up to so many days each is shown; of a longer one those of which something is known."""


def known_days(root: str, tables: Iterable[Table]) -> set[str]:
    """The days that bronze has rows of, and the first and last ones of each commit of the run ledger."""
    bronze = [table.key for table in tables if table.layer == "bronze"]
    landed = {day for key in bronze for day in transaction_log.partition_bytes(root, key) if day}
    return landed | transaction_log.bounds(root, RUN_LEDGER.key, "day")


def days_shown(known: Collection[str], first: str | None = None, last: str | None = None) -> list[str]:
    """The days from `first` to `last`: to the newest one without `last`, the last 30 known ones without `first`."""
    chosen = sorted(day for day in known if (first or "") <= day <= (last or "9999"))
    chosen = chosen if first else chosen[-SHOWN:]
    begin, end = first or min(chosen, default=None), last or max(chosen, default=None)
    if not begin or not end or begin > end:
        return []
    start, length = date.fromisoformat(begin), (date.fromisoformat(end) - date.fromisoformat(begin)).days + 1
    return chosen if length > LONGEST else [str(start + timedelta(days=i)) for i in range(length)]
