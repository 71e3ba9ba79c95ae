"""Gold equals a recomputation after any run: the asked days and the touched days are replaced, no other."""

from dataclasses import replace
from pathlib import Path

import pytest

from medallion_assets.lakehouse import gold
from medallion_assets.lakehouse.gold.staleness import staleness
from medallion_assets_tests.support.sample_lake import TABLES, SampleLake, delete, order

ONE, TWO, THREE = "2026-01-01", "2026-01-02", "2026-01-03"
SALES, FACTS = TABLES["gold/daily_sales"], TABLES["gold/fact_orders"]
SHOWN = ("order_date", "customer_segment", "product_category", "order_count", "total_sales")


def customer(segment: str, at: str = "2026-01-01") -> dict:
    return {"customer_id": "c1", "customer_segment": segment, "updated_at": at}


def sales(shop: SampleLake) -> list:
    return shop.rows("gold/daily_sales", *SHOWN)


def test_measures_are_exact_and_no_sale_is_lost(shop: SampleLake):
    shop.land("customers", ONE, "c.csv", [customer("GOLD")])
    shop.land(
        "products", ONE, "p.csv", [{"product_id": "p1", "product_category": "", "updated_at": "2026-01-01"}]
    )
    shop.land(
        "orders",
        ONE,
        "a.csv",
        [
            order("o1", amount="0.01"),
            order("o2", amount="0.02"),
            order("guest", customer_id="", amount="9999999999999999.99"),
            order("stranger", customer_id="c9", product_id="", amount="1.00"),
            order("open", status="SHIPPED"),
        ],
    )
    shop.materialize(ONE)
    columns = [column.name for column in SALES.columns]
    assert shop.rows("gold/daily_sales", *columns) == [
        (ONE, "GOLD", "UNKNOWN", 2, "0.03", "0.02", 1, "0.01", "0.02"),  # half a cent is rounded up
        (
            ONE,
            "UNKNOWN",
            "UNKNOWN",
            2,
            "10000000000000000.99",
            "5000000000000000.50",
            1,
            "1.00",
            "9999999999999999.99",
        ),
    ]
    types = {field.name: str(field.type) for field in shop.table("gold/daily_sales").schema().fields}
    assert list(types) == [*columns, "_gold_created_timestamp"]
    assert "decimal(28,2)" in types["total_sales"] and "decimal(18,2)" in types["avg_order_value"]


def test_only_asked_and_touched_days_are_recomputed(shop: SampleLake):
    shop.land("orders", ONE, "a.csv", [order("o1", day=ONE), order("o2", day=TWO), order("o3", day=THREE)])
    shop.materialize(ONE)
    assert [row[0] for row in sales(shop)] == [
        ONE,
        TWO,
        THREE,
    ]  # the days of the facts, not only the asked one
    before = shop.files("gold/daily_sales")

    shop.land(
        "orders",
        TWO,
        "late.csv",
        [order("o1", at="2026-01-02T00:00:00Z", day=TWO), delete("o3", "2026-01-04")],
    )
    shop.orders(TWO)
    assert shop.gold() == [ONE, TWO, THREE]  # nobody asked for a day
    assert [(row[0], row[3]) for row in sales(shop)] == [(TWO, 2)]

    before = shop.files("gold/daily_sales")
    shop.land("orders", THREE, "a.csv", [order("o9", day=THREE)])
    shop.orders(THREE)
    assert shop.gold(THREE) == [THREE]
    assert before < shop.files("gold/daily_sales")
    assert shop.gold() == []


def test_a_changed_member_restates_the_days_of_its_facts_and_a_bump_restates_nothing(shop: SampleLake):
    def land(day: str, category: str) -> None:
        row = {"product_id": "p1", "product_category": category, "updated_at": day}
        shop.land("products", day, "p.csv", [row])
        for layer in ("bronze", "silver"):
            shop.run(f"{layer}/products", day)

    land(ONE, "FOOD")
    shop.land(
        "orders",
        ONE,
        "a.csv",
        [order("o1", day=ONE), order("o2", day=TWO), order("x", product_id="p2", day=THREE)],
    )
    shop.orders(ONE)
    shop.gold(ONE)
    land(TWO, "FOOD")
    assert shop.gold() == []
    land(THREE, "PETS")
    facts = shop.files("gold/fact_orders")
    assert shop.gold() == [ONE, TWO]
    assert shop.files("gold/fact_orders") == facts  # the key of a product stays
    assert [(row[0], row[2]) for row in sales(shop)] == [(ONE, "PETS"), (TWO, "PETS"), (THREE, "UNKNOWN")]


def test_a_new_version_restates_the_days_from_its_beginning_on(shop: SampleLake):
    shop.land("customers", ONE, "c.csv", [customer("GOLD")])
    facts = [order(f"o{day[-1]}", day=day) for day in (ONE, TWO, THREE)]
    shop.land("orders", ONE, "a.csv", [*facts, order("x", customer_id="c2", day=THREE)])
    shop.materialize(ONE)
    shop.land("customers", THREE, "c.csv", [customer("BASIC", at=TWO)])
    for layer in ("bronze", "silver"):
        shop.run(f"{layer}/customers", THREE)
    assert shop.gold() == [TWO, THREE]
    rows = [(ONE, "GOLD"), (TWO, "BASIC"), (THREE, "BASIC"), (THREE, "UNKNOWN")]
    assert [row[:2] for row in sales(shop)] == rows


def test_a_member_that_the_contract_does_not_follow_restates_nothing(shop: SampleLake):
    customers, products = SALES.joins
    shop.tables = TABLES | {SALES.key: replace(SALES, joins=(customers, replace(products, follows=())))}
    for day, category in ((ONE, "FOOD"), (TWO, "PETS")):
        row = {"product_id": "p1", "product_category": category, "updated_at": day}
        shop.land("products", day, "p.csv", [row])
    shop.land("orders", ONE, "a.csv", [order("o1", day=ONE), order("o2", day=TWO)])
    shop.materialize(ONE)
    for key in ("bronze/products", "silver/products", "gold/dim_product"):
        shop.run(key, TWO)
    assert staleness(shop.lake.root, shop.tables[SALES.key]) is None
    assert shop.run(SALES.key).days == {}
    assert list(shop.run(SALES.key, TWO).days) == [TWO]  # who asks gets the member of now
    assert [(row[0], row[2]) for row in sales(shop)] == [(ONE, "FOOD"), (TWO, "PETS")]


def test_where_the_log_was_cleaned_all_days_are_touched(shop: SampleLake):
    shop.land("orders", ONE, "a.csv", [order("o1", day=ONE), order("o2", day=TWO)])
    shop.materialize(ONE)
    shop.land("orders", TWO, "a.csv", [order("o3", day=THREE)])
    shop.orders(TWO)
    late = staleness(shop.lake.root, FACTS)
    assert late is not None and late.days == {THREE}
    shop.table("silver/orders").create_checkpoint()
    log = Path(shop.lake.path("silver/orders")) / "_delta_log"
    (log / f"{0:020d}.json").unlink()
    late = staleness(shop.lake.root, FACTS)
    assert late is not None and late.days == {ONE, TWO, THREE}
    assert list(shop.run(FACTS.key).days) == [ONE, TWO, THREE]


@pytest.mark.long
def test_where_an_old_dimension_was_vacuumed_all_days_are_touched(shop: SampleLake):
    for day, category in ((ONE, "FOOD"), (TWO, "PETS")):
        row = {"product_id": "p1", "product_category": category, "updated_at": day}
        shop.land("products", day, "p.csv", [row])
    shop.land("orders", ONE, "a.csv", [order("o1", day=ONE), order("x", day=TWO, product_id="")])
    shop.materialize(ONE)
    old = shop.files("gold/dim_product")
    for key in ("bronze/products", "silver/products", "gold/dim_product"):
        shop.run(key, TWO)
    for uri in old:
        Path(uri).unlink()
    shop.spark.catalog.clearCache()
    assert list(shop.run(SALES.key).days) == [ONE, TWO]
    assert [(row[0], row[2]) for row in sales(shop)] == [(ONE, "PETS"), (TWO, "UNKNOWN")]


def test_gold_that_was_tampered_with_does_not_reconcile(shop: SampleLake):
    shop.land("orders", ONE, "a.csv", [order("o1"), order("o2")])
    shop.materialize(ONE)
    days, newer = gold.audit_days(shop.lake, SALES, [ONE])
    assert days[ONE].reconciles and not newer
    shop.table("gold/daily_sales").update({"total_sales": "total_sales + 1"})
    days, _ = gold.audit_days(shop.lake, SALES, [ONE])
    assert not days[ONE].reconciles
    days, newer = gold.audit_days(shop.lake, FACTS, [ONE])
    assert days[ONE].reconciles and not newer
    shop.table("gold/fact_orders").delete("order_id = 'o2'")
    days, _ = gold.audit_days(shop.lake, FACTS, [ONE])
    assert not days[ONE].reconciles
    shop.land("orders", ONE, "b.csv", [order("o3")])
    shop.orders(ONE)
    assert gold.audit_days(shop.lake, FACTS, [ONE])[1]  # stale: silver is newer


def test_event_days_outside_the_calendar_are_written_and_named(shop: SampleLake):
    shop.land(
        "orders", ONE, "a.csv", [order("o1"), order("old", day="1999-12-31"), order("new", day="2099-01-01")]
    )
    shop.materialize(ONE)
    assert [row[0] for row in sales(shop)] == ["1999-12-31", ONE, "2099-01-01"]
    assert gold.outside_days(shop.lake, SALES, [ONE]) == {ONE: ["1999-12-31", "2099-01-01"]}
    assert gold.outside_days(shop.lake, SALES, [ONE, "1999-12-31", "2099-01-01"]) == {}


def test_a_fact_without_a_day_is_told(shop: SampleLake):
    """A contract that lets it through is refused; a lake can hold one of before, or one that a hand wrote."""
    shop.land("orders", ONE, "a.csv", [order("o1", day=ONE), order("n", day=ONE)])
    shop.orders(ONE)
    assert gold.outside_days(shop.lake, FACTS, [ONE]) == {}
    shop.spark.sql(
        f"UPDATE delta.`{shop.lake.path('silver/orders')}` SET order_date = NULL WHERE order_id = 'n'"
    )
    assert gold.outside_days(shop.lake, FACTS, [ONE]) == {ONE: ["NULL"]}
