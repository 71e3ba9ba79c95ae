"""The example tables: each pattern on literal rows, and that loading them is one line."""

from pathlib import Path

import dagster as dg
import pytest

from medallion_assets.example_definitions import defs
from medallion_assets.lakehouse import gold
from medallion_assets.tables import EXAMPLES, find_tables
from medallion_assets_tests.support.sample_lake import STEPS, SampleLake, delete, order

ONE, TWO = "2026-01-01", "2026-01-02"


@pytest.fixture
def shop(spark, tmp_path: Path) -> SampleLake:
    return SampleLake(spark, tmp_path, find_tables(EXAMPLES))


def product(product_id: str, category: str) -> dict[str, str]:
    return {"product_id": product_id, "product_category": category, "updated_at": ONE}


def test_the_examples_stand_beside_the_repositorys_own_tables():
    graph = defs.resolve_asset_graph()
    assert {
        parent.to_user_string() for parent in graph.get(dg.AssetKey(["gold", "category_sums"])).parent_keys
    } == {
        "bronze/orders",
        "silver/products",
    }
    declared = {key for key in graph.get_all_asset_keys() if key.path[0] in ("bronze", "silver", "gold")}
    for key in declared:
        columns = graph.get(key).metadata["dagster/column_schema"].columns
        assert all(column.description for column in columns), key


def test_etl_loads_only_the_sums_above_the_threshold_and_replaces_its_day(shop: SampleLake):
    shop.land("products", ONE, "p.csv", [product("p1", "FOOD"), product("p2", "PETS"), product("p3", "TOYS")])
    for layer in ("bronze", "silver"):
        shop.run(f"{layer}/products", ONE)
    rows = [
        order("o1", amount="80"),
        order("o1", amount="90", at="2026-01-01T11:00:00Z"),  # the later change of the day counts
        order("o2", amount="20.50", status=" shipped"),
        order("o3", amount="500", status="CANCELLED"),
        order("o4", amount="100", product_id="p2"),  # not above the threshold
        order("o5", amount="700", product_id="p3"),
        delete("o5", "2026-01-01T12:00:00Z"),
        order("o6", amount="many"),
    ]
    shop.land("orders", ONE, "a.csv", rows)
    shop.land("orders", TWO, "a.csv", [order("o7", amount="101", product_id="p2")])
    sums = shop.tables["gold/category_sums"]
    days = gold.extract_days(shop.lake, sums, [ONE, TWO])
    assert (days[ONE].rows, days[ONE].broken, days[ONE].loaded) == (8, 1, 1)
    columns = ("_ingestion_date", "product_category", "total_amount")
    assert shop.rows(sums.key, *columns) == [(ONE, "FOOD", "110.50"), (TWO, "PETS", "101.00")]
    assert not shop.lake.exists("bronze/orders")

    shop.land("orders", ONE, "b.parquet", b"PAR1 cut off")
    assert not gold.extract_days(shop.lake, sums, [ONE])[ONE].whole
    assert len(shop.rows(sums.key)) == 2  # a day of which a file is missing keeps what it has
    shop.remove("orders", ONE, "b.parquet")
    shop.land("orders", ONE, "a.csv", [order("o1", amount="5")])
    gold.extract_days(shop.lake, sums, [ONE])
    assert shop.rows(sums.key, *columns) == [(TWO, "PETS", "101.00")]
    shop.remove("orders", TWO, "a.csv")
    gold.audit_extract_days(shop.lake, sums, [TWO])
    assert len(shop.rows(sums.key)) == 1
    gold.extract_days(shop.lake, sums, [TWO])
    assert shop.rows(sums.key) == []


def test_a_full_daily_batch_replaces_its_day_and_no_other(shop: SampleLake):
    snapshots = shop.tables["silver/product_snapshots"]
    for day, category in ((ONE, "FOOD"), (TWO, "PETS")):
        shop.land("products", day, "p.csv", [product("p1", category), product("p2", category)])
    shop.run("bronze/products", ONE, TWO)
    STEPS["silver"](shop.lake, snapshots, [ONE, TWO])
    first = {uri for uri in shop.files(snapshots.key) if ONE in uri}
    shop.land("products", TWO, "p.csv", [product("p1", "TOYS")])
    shop.run("bronze/products", TWO)
    STEPS["silver"](shop.lake, snapshots, [ONE, TWO])
    rows = shop.rows(snapshots.key, "_ingestion_date", "product_id", "product_category")
    assert rows == [(ONE, "p1", "FOOD"), (ONE, "p2", "FOOD"), (TWO, "p1", "TOYS")]
    assert first <= shop.files(snapshots.key)
