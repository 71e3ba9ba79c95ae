"""Tombstones and quarantined rows that were purged: silver goes on as if they were there, each row has an outcome."""

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from pyspark.sql import SparkSession

from medallion_assets.contracts.column import Column
from medallion_assets.contracts.merge_policies import Upsert
from medallion_assets.contracts.silver import SilverTable
from medallion_assets.contracts.table import Table
from medallion_assets.lakehouse import silver
from medallion_assets.lakehouse.silver import purge
from medallion_assets.lakehouse.silver.checks import blocked_by
from medallion_assets.lakehouse.silver.day_metrics import SilverDayMetrics
from medallion_assets.lakehouse.silver.purge import Expired, purge_expired
from medallion_assets_tests.properties.test_scd2_equals_model import in_brief, interval, landed_rows
from medallion_assets_tests.properties.test_scd2_equals_model import random_row as random_customer
from medallion_assets_tests.properties.test_upsert_equals_model import expected_row, silver_row
from medallion_assets_tests.properties.test_upsert_equals_model import random_row as random_order
from medallion_assets_tests.reference import scd2_model, upsert_model
from medallion_assets_tests.support.sample_lake import TABLES, SampleLake, delete, order

pytestmark = pytest.mark.long

ONE, TWO, THREE, FOUR = DAYS = upsert_model.days_from("2026-01-01", 4)
MONTH = timedelta(days=30)
FATES = ("current", "superseded", "deleted", "quarantined")


def workshop(spark: SparkSession, root: Path, *tables: Table) -> SampleLake:
    return SampleLake(spark, root, TABLES | {table.key: table for table in tables})


def purging(name: str, after: timedelta) -> SilverTable:
    return replace(TABLES[f"silver/{name}"], purge_after=after)


def outcomes(day: SilverDayMetrics) -> tuple[int, ...]:
    return tuple(day.total(name) for name in FATES)


def checked(shop: SampleLake, key: str, *days: str) -> list[tuple[int, ...]]:
    """The outcomes of the days' rows as of now; each row has one."""
    found = silver.audit_days(shop.lake, shop.tables[key], days)
    assert {day: blocked_by(shop.tables[key], metrics) for day, metrics in found.items()} == dict.fromkeys(
        days
    )
    return [outcomes(found[day]) for day in days]


def stored(shop: SampleLake, key: str) -> list[dict[str, Any]]:
    rows = [{k: v for k, v in row.items() if k != "_silver_processed_timestamp"} for row in shop.rows(key)]
    return sorted(rows, key=str)


def tombstones(shop: SampleLake) -> list[str]:
    return [row["order_id"] for row in shop.rows("silver/orders") if row["_deleted_at"]]


def test_a_purged_tombstone_still_holds(spark: SparkSession, tmp_path: Path):
    orders = purging("orders", MONTH)
    assert orders.fingerprint == TABLES["silver/orders"].fingerprint  # so no day is stale
    shop, now = workshop(spark, tmp_path, orders), datetime(2026, 2, 20, tzinfo=timezone.utc)
    first = [order(key) for key in ("dead", "back", "live", "late")]
    shop.land("orders", ONE, "a.csv", [*first, order("bad", amount="x")])
    gone = [delete(key, "2026-01-02T09:00:00Z") for key in ("dead", "back", "never seen")]
    shop.land("orders", TWO, "a.csv", [*gone, delete("young", "2026-01-25T00:00:00Z")])
    shop.orders(ONE, TWO)
    assert purge_expired(shop.lake, orders, now) == Expired(tombstones=3, quarantined=1)
    assert tombstones(shop) == ["young"] and shop.rows("quarantine/orders") == []
    assert checked(shop, orders.key, ONE, TWO) == [(2, 2, 0, 1), (0, 0, 4, 0)]

    before = shop.versions(["silver/orders", "quarantine/orders", "control/expiries"])
    assert purge_expired(shop.lake, orders, now + timedelta(hours=1)) == Expired()
    assert shop.versions(before) == before
    changes = [
        order("dead", at="2026-01-01T12:00:00Z"),  # older than the purged delete: stays dead
        gone[2],  # resent
        order("back", at="2026-01-02T10:00:00Z"),  # newer than the delete, and older than the horizon
        order("slow", at="2025-12-01T00:00:00Z"),  # just old
        order("new", at="2026-02-01T00:00:00Z"),
        delete("late", "2026-01-01T11:00:00Z"),  # its tombstone would be purged at once
    ]
    shop.land("orders", THREE, "a.csv", changes)
    assert outcomes(shop.orders(THREE)[THREE]) == (3, 2, 1, 0)
    assert [row[0] for row in shop.live()] == ["back", "live", "new", "slow"]
    assert tombstones(shop) == ["young"]

    shop.land("orders", TWO, "a.csv", gone[1:])  # corrected: the delete of one key is there no more
    shop.orders(TWO)
    assert [row[0] for row in shop.live()] == ["back", "dead", "live", "new", "slow"]
    shop.land("orders", TWO, "a.csv", [*gone, order("other")])
    shop.orders(TWO)
    assert checked(shop, orders.key, ONE, TWO, THREE) == [(1, 3, 0, 1), (1, 1, 2, 0), (3, 2, 1, 0)]
    after = stored(shop, orders.key)
    silver.rebuild(shop.lake, orders)
    assert stored(shop, orders.key) == after and len(shop.rows("quarantine/orders")) == 1

    shop.table("silver/orders").delete("order_id = 'slow'")  # somebody loses a row: it did not expire
    lost = silver.audit_days(shop.lake, orders, [THREE])[THREE]
    assert lost.unaccounted == {f"orders/date={THREE}/a.csv": 1}


def test_a_purge_that_crashed_and_the_quarantine_of_a_blocked_day(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    orders = purging("orders", MONTH)
    shop, now = workshop(spark, tmp_path, orders), datetime(2026, 3, 1, tzinfo=timezone.utc)
    shop.land("orders", ONE, "a.csv", [order("bad", amount="x")])  # blocked
    shop.land("orders", TWO, "a.csv", [delete("dead", "2026-01-02T09:00:00Z")])
    shop.orders(ONE, TWO)

    def crash(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(purge, "_delete", crash)
    with pytest.raises(KeyboardInterrupt):
        purge_expired(shop.lake, orders, now)
    monkeypatch.undo()
    shop.land("orders", THREE, "a.csv", [order("dead"), order("old")])
    assert outcomes(shop.orders(THREE)[THREE]) == (1, 1, 0, 0)
    assert purge_expired(shop.lake, orders, now - timedelta(days=1)) == Expired(tombstones=1)
    assert len(shop.rows("quarantine/orders")) == 1
    assert checked(shop, orders.key, TWO, THREE) == [(0, 0, 1, 0), (1, 1, 0, 0)]


LITERAL = {  # name: (the deliveries of four days, rows in the end); after the first, all before hour 4 is purged
    "a tombstone begins with the first of several deletes": ("1A 3x | 9x", "A1-3 x3-9"),
    "a late change of a deleted key that was never seen": ("3x | | 1A", "A1-3"),
    "a late change stays before the delete": ("1A 3x | | | 2B", "A1-2 B2-3"),
    "what is sent again changes nothing": ("1A 3x | | | 1A 3x", "A1-3"),
    "a newer change revives": ("1A 3x | | | 9A", "A1-3 A9-"),
    "a newer change revives, though older than the horizon": ("1A 2x | | | 3B", "A1-2 B3-"),
    "a late change and a newer one": ("1A 3x | | | 2B 9A", "A1-2 B2-3 A9-"),
    "a tombstone from before to after the horizon": ("1A 3x 5x | | | 4B", "A1-3 B4-5 x5-5"),
    "a late delete ends the last version": ("1A | | | 3x", "A1-3"),
    "a late delete leaves nothing": ("1A | | | 1x", ""),
    "an old change of a new key": ("| | | 1A", "A1-"),
}


def test_versions_stay_where_the_tombstone_went(spark: SparkSession, tmp_path: Path):
    """Alone in their deliveries: a first delete, and a late change, since one late change merges all keys again."""
    customers = purging("customers", timedelta(hours=1))
    shop = workshop(spark, tmp_path, customers)

    def merge(day: str) -> tuple[int, ...]:
        told = {key: days.split("|")[DAYS.index(day) :][:1] for key, (days, _) in LITERAL.items()}
        rows = [row for key, part in told.items() for row in landed_rows(key, *part)]
        shop.land("customers", day, "a.csv", rows)
        shop.run("bronze/customers", day)
        return outcomes(shop.run(customers.key, day)[day])

    assert merge(ONE) == (2, 8, 8, 0)
    now = datetime(2026, 1, 1, 5, tzinfo=timezone.utc)
    assert purge_expired(shop.lake, customers, now) == Expired(tombstones=7)
    assert purge_expired(shop.lake, customers, now) == Expired()
    assert checked(shop, customers.key, ONE) == [(2, 8, 8, 0)]
    assert [merge(day) for day in (TWO, THREE, FOUR)] == [(0, 0, 1, 0), (0, 1, 0, 0), (4, 5, 2, 0)]
    after = stored(shop, customers.key)
    rows = sorted(map(interval, shop.rows(customers.key)), key=lambda row: row.valid_from)
    told = {key: " ".join(in_brief(row) for row in rows if row.customer_id == key) for key in LITERAL}
    assert told == {key: rows for key, (_, rows) in LITERAL.items()}
    checked(shop, customers.key, *DAYS)
    silver.rebuild(shop.lake, customers)
    assert stored(shop, customers.key) == after


def test_of_keys_that_are_ordered_by_a_number_any_change_asks_bronze(spark: SparkSession, tmp_path: Path):
    """A late change comes with a young ingestion day, and is older than the purged tombstone all the same."""
    columns = (Column("customer_id"), Column("version", "bigint"))
    write = Upsert(("customer_id",), ("version",))
    numbered = SilverTable(
        name="numbered",
        description="",
        write=write,
        inputs=TABLES["silver/customers"].inputs,
        columns=columns,
    )
    numbered = replace(numbered, purge_after=timedelta(0))
    shop = workshop(spark, tmp_path, numbered)
    shop.land("customers", ONE, "a.csv", "customer_id,version,op\na,5,D\nb,5,D\n")
    shop.land("customers", THREE, "a.csv", "customer_id,version,op\na,4,U\nb,6,U\nc,1,U\n")
    shop.run("bronze/customers", ONE, THREE)
    shop.run("silver/numbered", ONE)
    assert purge_expired(shop.lake, numbered, datetime(2026, 1, 2, tzinfo=timezone.utc)) == Expired(
        tombstones=2
    )
    shop.run("silver/numbered", THREE)
    assert shop.rows("silver/numbered", "customer_id") == [("b",), ("c",)]
    assert checked(shop, numbered.key, ONE, THREE) == [(0, 1, 1, 0), (2, 1, 0, 0)]


def expected_orders(taken: upsert_model.Landed, horizon: datetime) -> Counter:
    changes = upsert_model.fold(taken).items()
    return Counter(
        (key, expected_row(change))
        for key, change in changes
        if not (change["is_delete"] and change["updated_at"] < horizon)
    )


def order_fates(taken: upsert_model.Landed, day: str) -> dict[str, int]:
    rows = [row for (other, _), rows in taken.items() if other == day for row in rows]
    good = sum(upsert_model.validated(row) is not None for row in rows)
    winners = [
        change["is_delete"] for change in upsert_model.fold(taken).values() if change["source"][0] == day
    ]
    lost, quarantined = good - len(winners), len(rows) - good
    return dict(zip(FATES, (len(winners) - sum(winners), lost, sum(winners), quarantined), strict=True))


def expected_customers(taken: upsert_model.Landed, horizon: datetime) -> Counter:
    rows = scd2_model.intervals(taken)
    return Counter(row for row in rows if row.deleted_at is None or row.deleted_at >= horizon)


class Case(NamedTuple):
    """row: a random change; shown: a stored row as `expected` tells it; each purge is a `step` later."""

    name: str
    row: Callable[[random.Random], dict[str, str]]
    shown: Callable[[dict[str, Any]], Any]
    expected: Callable[[upsert_model.Landed, datetime], Counter]
    outcomes: Callable[[upsert_model.Landed, str], dict[str, int]]
    start: datetime
    step: timedelta


UPSERT = Case(
    "orders",
    random_order,
    lambda row: (row["order_id"], silver_row(row)),
    expected_orders,
    order_fates,
    datetime(2026, 1, 1, 10, tzinfo=timezone.utc),
    timedelta(minutes=9),
)
HISTORY = Case(
    "customers",
    lambda chance: random_customer(chance, f"c{chance.randrange(150)}"),
    interval,
    expected_customers,
    scd2_model.outcomes,
    datetime(2026, 1, 1, tzinfo=timezone.utc),
    timedelta(hours=2),
)
STEPS: list[dict[tuple[str, str], int]] = [  # file -> random rows; 0 takes the file away
    {(ONE, "a.csv"): 150, (TWO, "a.csv"): 150, (THREE, "a.csv"): 60},
    {(TWO, "a.csv"): 100, (THREE, "a.csv"): 0},
    {(TWO, "b.csv"): 60, (FOUR, "a.csv"): 100},
]


@pytest.mark.parametrize("case", [UPSERT, HISTORY], ids=["upsert", "history"])
def test_random_deliveries_with_purges_in_between_end_as_without(
    spark: SparkSession, tmp_path: Path, case: Case
):
    """All rows, but for the purged tombstones, and the outcomes of all rows at any time."""
    table, chance, landed = purging(case.name, timedelta(0)), random.Random(20260101), {}
    shop, horizon = workshop(spark, tmp_path, table), case.start
    for files in STEPS:
        for (day, file), rows in files.items():
            deliver(shop, case, landed, chance, day, file, rows)
        days = sorted({day for day, _ in files})
        shop.run(f"bronze/{case.name}", *days)
        found = shop.run(table.key, *days)
        assert all(not blocked_by(table, metrics) for metrics in found.values())
        assert Counter(map(case.shown, shop.rows(table.key))) == case.expected(landed, horizon)
        horizon += case.step
        assert purge_expired(shop.lake, table, horizon).tombstones
        assert Counter(map(case.shown, shop.rows(table.key))) == case.expected(landed, horizon)
        wanted = [tuple(case.outcomes(landed, day)[outcome] for outcome in FATES) for day in DAYS]
        assert checked(shop, table.key, *DAYS) == wanted
    before = stored(shop, table.key)
    silver.rebuild(shop.lake, table)
    assert stored(shop, table.key) == before


def deliver(
    shop: SampleLake, case: Case, landed: dict, chance: random.Random, day: str, file: str, rows: int
) -> None:
    """Random changes, and some of the earlier ones again."""
    if not rows:
        del landed[day, file]
        shop.remove(case.name, day, file)
        return
    earlier = [row for others in landed.values() for row in others]
    again = chance.sample(earlier, min(len(earlier), 30))
    landed[day, file] = [case.row(chance) for _ in range(rows)] + again
    shop.land(case.name, day, file, landed[day, file])
