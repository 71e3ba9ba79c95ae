"""The star schema of gold: what facts join, what dimensions hold, and what metrics come to."""

import random
from dataclasses import replace
from datetime import date
from pathlib import Path
from shutil import rmtree

import pytest
from deltalake import DeltaTable, write_deltalake
from pyarrow import parquet
from pyspark.sql import SparkSession

from medallion_assets.lakehouse import gold
from medallion_assets.lakehouse.gold.checks import blocked_by
from medallion_assets_tests.reference import scd2_model, upsert_model
from medallion_assets_tests.support.sample_lake import TABLES, SampleLake, order

DAYS = [f"2026-01-{day:02d}" for day in range(1, 11)]
ONE, TWO, THREE = DAYS[:3]
GOLD = [key for key in TABLES if key.startswith("gold/")]


def customer(segment: str, at: str, **fields: str) -> dict:
    return {"customer_id": "c1", "customer_segment": segment, "updated_at": at, **fields}


def land_a_history(shop: SampleLake) -> None:
    """A customer who is new on the second day, moves, leaves and comes back; seen by an order a day."""
    shop.land(
        "customers",
        ONE,
        "c.csv",
        [
            customer("GOLD", "2026-01-02T08:00:00Z", age="19-24"),
            customer("BASIC", "2026-01-04T00:00:00Z", age="19-24"),
            customer("", "2026-01-06T12:00:00Z", op="D"),
            customer("IRON", "2026-01-08T12:00:00Z", age="25-34"),
        ],
    )
    shop.land("products", ONE, "p.csv", [{"product_id": "p1", "product_category": "FOOD", "updated_at": ONE}])
    daily = [order(f"o{day[-2:]}", day=day, amount=f"{int(day[-2:])}.00") for day in DAYS]
    strange = [
        order("guest", customer_id="", product_id="p9"),
        order("old", day="1999-12-31", customer_id="c2"),
    ]
    open_ = [order("sent", status="SHIPPED", amount="7.25"), order("new", status="PENDING", customer_id="c3")]
    shop.land("orders", ONE, "o.csv", [*daily, *strange, *open_])


@pytest.fixture(scope="module")
def star(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> SampleLake:
    shop = SampleLake(spark, tmp_path_factory.mktemp("star"))
    land_a_history(shop)
    for key in shop.tables:
        shop.run(key, *DAYS)
    return shop


def test_a_fact_joins_the_version_that_was_valid_at_the_start_of_its_day(star: SampleLake):
    customers = {row["customer_key"]: row for row in star.rows("gold/dim_customer")}
    joined = {row["order_id"]: customers[row["customer_key"]] for row in star.rows("gold/fact_orders")}
    segments = {order_id: row["customer_segment"] for order_id, row in joined.items()}
    assert segments == {
        "o01": "GOLD",  # before the first version the first counts
        "o02": "GOLD",
        "o03": "GOLD",
        "o04": "BASIC",  # its version begins with the day
        "o05": "BASIC",
        "o06": "BASIC",
        "o07": "UNKNOWN",  # gone
        "o08": "UNKNOWN",
        "o09": "IRON",
        "o10": "IRON",
        "sent": "GOLD",
        "new": "UNKNOWN",
        "guest": "UNKNOWN",
        "old": "UNKNOWN",
    }
    assert joined["guest"]["customer_key"] == joined["old"]["customer_key"] == "unknown"


def test_a_dimension_has_every_version_and_one_unknown_member(star: SampleLake):
    columns = ("customer_id", "customer_segment", "age", "valid_from", "valid_to", "is_current")
    assert star.rows("gold/dim_customer", *columns) == [
        ("c1", "BASIC", "19-24", "2026-01-04 00:00:00+00:00", "2026-01-06 12:00:00+00:00", 0),
        ("c1", "GOLD", "19-24", "2026-01-02 08:00:00+00:00", "2026-01-04 00:00:00+00:00", 0),
        ("c1", "IRON", "25-34", "2026-01-08 12:00:00+00:00", None, 1),
        (None, "UNKNOWN", "UNKNOWN", None, None, 1),
    ]
    assert len({row["customer_key"] for row in star.rows("gold/dim_customer")}) == 4
    assert star.rows("gold/dim_product", "product_id", "product_category", "brand") == [
        ("p1", "FOOD", "UNKNOWN"),
        (None, "UNKNOWN", "UNKNOWN"),
    ]


def test_dates_are_the_days_of_the_calendar_and_an_unknown_one(star: SampleLake):
    dates = {str(row["date"]): row for row in star.rows("gold/dim_date")}
    assert dates.keys() == {*star.lake.calendar, "None"} and len(star.rows("gold/dim_date")) == len(dates)
    names = ("date_key", "year", "quarter", "month", "iso_year", "iso_week", "day_of_week", "is_weekend")
    assert [dates["2025-12-29"][name] for name in names] == [20251229, 2025, 4, 12, 2026, 1, 1, False]
    assert [dates["2026-01-04"][name] for name in names] == [20260104, 2026, 1, 1, 2026, 1, 7, True]
    assert dates["2026-05-01"]["month_name"] == "May" and dates["2026-05-01"]["day_name"] == "Friday"
    keys = {row["order_id"]: row["date_key"] for row in star.rows("gold/fact_orders")}
    assert keys["o01"] == 20260101 and keys["old"] == dates["None"]["date_key"] == -1


def test_facts_are_the_live_orders(star: SampleLake):
    live = {row["order_id"]: row for row in star.rows("silver/orders") if row["_deleted_at"] is None}
    facts = star.rows("gold/fact_orders")
    shared = (
        "order_id",
        "order_date",
        "customer_id",
        "product_id",
        "order_status",
        "order_amount",
        "updated_at",
    )
    assert len(facts) == len(live)
    assert all(row[name] == live[row["order_id"]][name] for row in facts for name in shared)


def test_files_are_sorted_by_what_is_asked_for_most(star: SampleLake):
    for uri in star.files("gold/fact_orders"):
        customers = [text or "" for text in parquet.read_table(uri)["customer_id"].to_pylist()]
        assert customers == sorted(customers)
    assert max(len(parquet.read_table(uri)) for uri in star.files("gold/fact_orders")) > 1


def test_activity_is_recency_frequency_and_monetary_value(star: SampleLake):
    names = TABLES["gold/customer_activity"].column_names
    assert star.rows("gold/customer_activity", *names) == [
        ("c1", "2026-01-01", "2026-01-10", 0, 10, "55.00"),
        ("c2", "1999-12-31", None, None, 1, "10.00"),  # a day outside the calendar says nothing of recency
    ]


def test_the_funnel_shares_a_day_among_the_statuses(star: SampleLake):
    rows = star.rows("gold/order_status_funnel", *TABLES["gold/order_status_funnel"].column_names)
    assert [row for row in rows if row[0] == ONE] == [
        (ONE, "COMPLETED", 2, "11.00", "50.00"),
        (ONE, "PENDING", 1, "10.00", "25.00"),
        (ONE, "SHIPPED", 1, "7.25", "25.00"),
    ]


@pytest.mark.long
def test_incremental_gold_is_byte_for_byte_a_rebuild(star: SampleLake):
    """After versions were split, members changed in place, orders moved and deleted."""
    star.land("customers", TWO, "c.csv", [customer("LATE", "2026-01-03T00:00:00Z", age="old")])
    star.land("customers", THREE, "c.csv", [customer("IRON", "2026-01-09T00:00:00Z", age="35-44")])
    star.land("products", TWO, "p.csv", [{"product_id": "p1", "product_category": "PETS", "updated_at": TWO}])
    moved = order("o05", day=TWO, at="2026-01-20T00:00:00Z")
    gone = {"order_id": "o10", "updated_at": "2026-01-20T00:00:00Z", "op": "D"}
    star.land("orders", TWO, "o.csv", [moved, gone, order("late", day=DAYS[8], amount="0.01")])
    for day in (THREE, TWO):
        for key in star.tables:
            star.run(key, day)
    kept = {key: star.rows(key) for key in GOLD}
    assert len(star.rows("gold/dim_customer")) == 5
    rmtree(Path(star.lake.root) / "gold")
    for key in GOLD:
        star.run(key)
    for key in GOLD:
        for row in kept[key]:
            del row["_gold_created_timestamp"]
        rebuilt = [{k: v for k, v in row.items() if k != "_gold_created_timestamp"} for row in star.rows(key)]
        assert sorted(map(repr, rebuilt)) == sorted(map(repr, kept[key])), key


def test_a_member_that_changed_in_place_keeps_its_key_and_leaves_its_facts_alone(shop: SampleLake):
    shop.land("customers", ONE, "c.csv", [customer("GOLD", "2026-01-01T00:00:00Z", age="19-24")])
    shop.land("orders", ONE, "o.csv", [order("o1")])
    shop.materialize(ONE)
    facts, (key, *_) = shop.files("gold/fact_orders"), shop.rows("gold/dim_customer", "customer_key", "age")
    shop.land("customers", TWO, "c.csv", [customer("GOLD", "2026-01-02T00:00:00Z", age="25-34")])
    for layer in ("bronze", "silver"):
        shop.run(f"{layer}/customers", TWO)
    assert shop.gold() == [] and shop.files("gold/fact_orders") == facts
    assert shop.rows("gold/dim_customer", "customer_key", "age") == [
        (key[0], "25-34"),
        ("unknown", "UNKNOWN"),
    ]


def test_what_is_wrong_with_a_metric_is_found_by_its_checks(shop: SampleLake):
    """Rows that come twice, are negative, are missing or are too many."""
    facts = [order(f"o{day[-1]}", day=day) for day in (ONE, TWO, THREE)]
    shop.land("orders", ONE, "o.csv", facts)
    shop.materialize(ONE)
    sales, path = TABLES["gold/daily_sales"], shop.lake.path("gold/daily_sales")
    found, _ = gold.audit_days(shop.lake, sales, DAYS[:4])
    assert all(d.reconciles and d.is_complete and not d.repeated + d.negative for d in found.values())
    write_deltalake(
        path,
        DeltaTable(path).to_pyarrow_table(filters=[("order_date", "=", date.fromisoformat(ONE))]),
        mode="append",
    )
    DeltaTable(path).update({"min_order": "-1.00"}, predicate=f"order_date = '{TWO}'")
    DeltaTable(path).delete(f"order_date = '{THREE}'")
    found, _ = gold.audit_days(shop.lake, sales, [ONE, TWO, THREE])
    assert found[ONE].repeated == 1 and found[TWO].negative == 1 and not found[THREE].is_complete
    assert not any(day.reconciles for day in found.values())


def test_a_day_whose_grain_is_not_unique_is_not_written(shop: SampleLake):
    """A transform that joins too much."""
    sales = TABLES["gold/daily_sales"]
    shop.tables = TABLES | {sales.key: replace(sales, transform=lambda cells: cells.unionAll(cells))}
    shop.land("orders", ONE, "o.csv", [order("o1")])
    refreshed = shop.materialize(ONE)["gold/daily_sales"]
    assert blocked_by(sales, refreshed.days[ONE]) == "grain_unique"
    assert shop.rows("gold/daily_sales") == []


@pytest.mark.long
def test_whatever_becomes_of_customers_each_fact_joins_the_one_version_of_its_day(shop: SampleLake):
    """Histories of 200 customers in random order, in three deliveries; orders on any day; gold after each."""
    chance = random.Random(11)
    customers: upsert_model.Landed = {}
    changes = [random_change(chance, f"c{i}") for i in range(200) for _ in range(chance.randrange(6))]
    chance.shuffle(changes)
    orders = [
        order(f"o{i}", day=chance.choice(DAYS), customer_id=chance.choice(["", f"c{chance.randrange(210)}"]))
        for i in range(2000)
    ]
    shop.land("orders", ONE, "o.csv", orders)
    shop.orders(ONE)
    for day, rows in zip((THREE, ONE, TWO), (changes[::3], changes[1::3], changes[2::3]), strict=True):
        customers = {**customers, (day, "c.csv"): rows}
        shop.land("customers", day, "c.csv", rows)
        for key in ("bronze/customers", "silver/customers"):
            shop.run(key, day)
        shop.gold()
        versions = {row["customer_key"]: row for row in shop.rows("gold/dim_customer")}
        assert len(versions) == len(shop.rows("gold/dim_customer"))
        facts, history = shop.rows("gold/fact_orders"), scd2_model.intervals(customers)
        assert len(facts) == len(orders)
        for fact in facts:
            found = versions[fact["customer_key"]]
            segment = scd2_model.segment_at(history, fact["customer_id"], fact["order_date"])
            assert found["customer_segment"] == (segment or "UNKNOWN")
            assert found["customer_id"] in (fact["customer_id"], None)


def random_change(chance: random.Random, customer_id: str) -> dict:
    at = f"{chance.choice(DAYS)}T{chance.choice(['00', '12'])}:00:00Z"
    segment, op = chance.choice(["GOLD", "IRON", ""]), chance.choice("UUUD")
    return {"customer_id": customer_id, "customer_segment": segment, "updated_at": at, "op": op}
