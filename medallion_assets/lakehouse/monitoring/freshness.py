"""Which tables are late: their latest due day has no data. A backfill of older days does not change that.

When a day is due is decided in `contracts/freshness.py`; who is told in `orchestration/alerting`.
"""

from collections.abc import Iterable
from datetime import datetime

from medallion_assets.contracts.freshness import last_due_day
from medallion_assets.contracts.table import Table
from medallion_assets.lakehouse.control.run_log import OK, entries_of


def late_tables(root: str, tables: Iterable[Table], now: datetime) -> dict[str, str]:
    """Table -> which day is late and why, of the tables whose contract says when a day is due (`due`)."""
    late: dict[str, str] = {}
    for table in tables:
        if table.due is None:
            continue
        day = last_due_day(now, table.due, table.days_off)
        statuses = [entry.status for entry in entries_of(root, table.key, day, day)]
        if OK not in statuses:
            found = f"its last run says {statuses[-1]}" if statuses else "no run brought it"
            late[table.key] = (
                f"{table.key}: {day} is late (due {table.due} after the day's end, UTC): {found}"
            )
    return late
