"""When data is expected: days off, the last day that is due, and which tables are late."""

import dataclasses
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import write_deltalake

from medallion_assets.contracts.declaration import DeclarationError, check
from medallion_assets.contracts.freshness import WEEKEND, is_off, last_due_day
from medallion_assets.lakehouse.control.run_log import NO_DATA, OK, RunEntry, append
from medallion_assets.lakehouse.monitoring.freshness import late_tables
from medallion_assets_tests.support.sample_lake import TABLES

# 2026-01-05 is a Monday.
NOON = datetime(2026, 1, 5, 12, tzinfo=timezone.utc)


def test_days_off_are_weekdays_and_dates():
    days = {day: is_off(f"2026-01-{day:02}", (*WEEKEND, "2026-01-06")) for day in range(1, 9)}
    assert [day for day, off in days.items() if off] == [3, 4, 6]


@pytest.mark.parametrize(
    ("hours", "days_off", "day"),
    [
        (6, (), "2026-01-04"),  # due at 6:00 of the 5th
        (13, (), "2026-01-03"),  # that of the 4th is due at 13:00
        (6, WEEKEND, "2026-01-02"),
        (6, (*WEEKEND, "2026-01-02"), "2026-01-01"),
    ],
)
def test_the_last_day_that_is_due(hours: int, days_off: tuple[str, ...], day: str):
    assert last_due_day(NOON, timedelta(hours=hours), days_off) == day


def test_a_day_off_that_is_none_is_refused_with_what_would_be():
    with pytest.raises(DeclarationError, match="'Sonntag' is neither a weekday, such as SUNDAY, nor a date"):
        check([dataclasses.replace(TABLES["bronze/orders"], days_off=("Sonntag",))])


def test_a_table_is_late_until_its_last_due_day_is_there_whatever_is_backfilled(tmp_path: Path):
    root, orders = str(tmp_path), dataclasses.replace(TABLES["bronze/orders"], due=timedelta(hours=6))
    tables = [orders, TABLES["silver/orders"]]

    def ran(day: str, status: str) -> None:
        append(root, [RunEntry(orders.key, day, "run", status, "code", NOON)])

    said = "bronze/orders: 2026-01-04 is late (due 6:00:00 after the day's end, UTC): "
    assert late_tables(root, tables, NOON) == {orders.key: said + "no run brought it"}
    ran("2026-01-03", OK)
    assert late_tables(root, tables, NOON) == {orders.key: said + "no run brought it"}
    ran("2026-01-04", NO_DATA)
    assert late_tables(root, tables, NOON) == {orders.key: said + "its last run says NO_DATA"}
    ran("2026-01-04", OK)
    assert late_tables(root, tables, NOON) == {}
    assert late_tables(root, tables, NOON + timedelta(days=1)).keys() == {orders.key}
    write_deltalake(f"{root}/{orders.key}", pa.table({"order_id": ["o1"]}))
    assert late_tables(root, tables, NOON + timedelta(days=30)).keys() == {orders.key}
    assert late_tables(root, tables, NOON + timedelta(days=31)) == {}  # it is no more fed
