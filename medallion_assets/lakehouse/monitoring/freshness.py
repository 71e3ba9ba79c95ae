"""Which tables are late: their latest due day has no data. A backfill of older days does not change that.

A table that has had data, but none for a month, is no more fed: it is not late for ever.

When a day is due is decided in `contracts/freshness.py`; who is told in `orchestration/alerting`.
"""

from collections.abc import Iterable
from datetime import date, datetime, timedelta

from medallion_assets.contracts.freshness import last_due_day
from medallion_assets.contracts.table import Table
from medallion_assets.lakehouse.control.run_log import OK, entries_of
from medallion_assets.lakehouse.storage.lake import table_path
from medallion_assets.lakehouse.storage.open_table import table_exists

FED_WITHIN = timedelta(days=30)
"""A table is fed if one of so many days before the due one had data, or if it never had any."""


def late_tables(root: str, tables: Iterable[Table], now: datetime) -> dict[str, str]:
    """Table -> which day is late and why, of the tables whose contract says when a day is due (`due`)."""
    late: dict[str, str] = {}
    for table in tables:
        if table.due is None:
            continue
        day = last_due_day(now, table.due, table.days_off)
        entries = entries_of(root, table.key, str(date.fromisoformat(day) - FED_WITHIN), day)
        statuses = [entry.status for entry in entries if entry.day == day]
        is_fed = any(entry.status == OK for entry in entries) or not table_exists(table_path(root, table.key))
        if OK not in statuses and is_fed:
            found = f"its last run says {statuses[-1]}" if statuses else "no run brought it"
            late[table.key] = (
                f"{table.key}: {day} is late (due {table.due} after the day's end, UTC): {found}"
            )
    return late
