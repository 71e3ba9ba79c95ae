"""Silver equals a plain-Python merge of what was landed and gold a recomputation, whatever happens in between.

Each example is a history of files that land, are corrected, resent or deleted, and of days materialized in any order;
it carries the changes of 150 keys, since a Spark step costs seconds and a key next to nothing.
"""

import random
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st
from pyspark.sql import SparkSession

from medallion_assets_tests.reference import upsert_model
from medallion_assets_tests.support.sample_lake import SampleLake

DAYS = upsert_model.days_from("2026-01-01", 4)
KEYS, FILES = [f"o{i}" for i in range(150)], ["a.csv", "b.csv"]
SEGMENTS, CATEGORIES = {"c1": "GOLD", "c2": "SILVER"}, {"p1": "FOOD", "p2": "PETS"}
STEPS = st.lists(
    st.tuples(
        st.sets(
            st.tuples(
                st.sampled_from(DAYS), st.sampled_from(FILES), st.sampled_from(["land", "resend", "delete"])
            ),
            min_size=1,
            max_size=4,
        ),
        st.sets(st.sampled_from(DAYS), min_size=1),
    ),
    min_size=2,
    max_size=5,
)


@pytest.mark.long
@settings(max_examples=4, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(steps=STEPS, seed=st.integers(0, 2**32 - 1))
def test_silver_is_a_merge_and_gold_a_recomputation(spark: SparkSession, steps: list, seed: int):
    with history(spark, seed) as (shop, chance):
        landed, taken = {}, {}
        for edits, days in steps:
            for day, name, edit in sorted(edits):
                apply(shop, landed, chance, day, name, edit)
            shop.materialize(*days)
            taken = {at: rows for at, rows in taken.items() if at[0] not in days}
            taken |= {at: rows for at, rows in landed.items() if at[0] in days}
            compare(shop, taken)


@contextmanager
def history(spark: SparkSession, seed: int) -> Iterator[tuple[SampleLake, random.Random]]:
    """A lake of its own, with its dimensions landed, and what decides the rest by the seed."""
    note(f"seed {seed}")
    with tempfile.TemporaryDirectory() as folder:
        shop = SampleLake(spark, Path(folder))
        land_dimensions(shop)
        yield shop, random.Random(seed)


def land_dimensions(shop: SampleLake) -> None:
    members = [
        {"customer_id": c, "customer_segment": s, "updated_at": "2026-01-01"} for c, s in SEGMENTS.items()
    ]
    shop.land("customers", DAYS[0], "c.csv", members)
    members = [
        {"product_id": p, "product_category": c, "updated_at": "2026-01-01"} for p, c in CATEGORIES.items()
    ]
    shop.land("products", DAYS[0], "p.csv", members)
    for layer in ("bronze", "silver"):
        for name in ("customers", "products"):
            shop.run(f"{layer}/{name}", DAYS[0])


def apply(shop: SampleLake, landed: dict, chance: random.Random, day: str, name: str, edit: str) -> None:
    if edit == "delete" and (day, name) in landed:
        del landed[day, name]
        shop.remove("orders", day, name)
        return
    earlier = [row for rows in landed.values() for row in rows]
    rows = [random_row(chance) for _ in range(chance.randrange(1, 200))]
    if edit == "resend":
        rows += chance.sample(earlier, min(len(earlier), 50))
    landed[day, name] = rows
    shop.land("orders", day, name, rows)


def random_row(chance: random.Random) -> dict:
    minute = chance.randrange(30)  # few, so that there are ties
    row = {
        "order_id": chance.choice(KEYS),
        "customer_id": chance.choice(["c1", "c2", "c3", ""]),
        "product_id": chance.choice(["p1", "p2", ""]),
        "order_date": chance.choice([*DAYS, *DAYS, "2026-02-30" if chance.random() < 0.1 else DAYS[0]]),
        "order_amount": chance.choice(
            ["1.00", "2.5", "3.005", "7", "-1" if chance.random() < 0.1 else "8.10"]
        ),
        "order_status": chance.choice(
            ["COMPLETED", "completed ", "SHIPPED", "LOST" if chance.random() < 0.1 else "VOID"]
        ),
        "updated_at": f"2026-01-01T10:{minute:02d}:00Z",
        "op": chance.choice(["I", "U", "", "D"]),
    }
    if row["op"] == "D" and chance.random() < 0.5:
        return {name: row[name] if name in ("order_id", "updated_at", "op") else "" for name in row}
    return row


def compare(shop: SampleLake, taken: upsert_model.Landed) -> None:
    compare_gold(
        shop, compare_silver(shop, taken), lambda customer, _: SEGMENTS.get(customer or ""), CATEGORIES
    )


def compare_silver(shop: SampleLake, taken: upsert_model.Landed) -> dict[str, dict]:
    """Silver and its quarantine against the model, which is returned."""
    expected, rows = upsert_model.fold(taken), shop.rows("silver/orders")
    found = {row["order_id"]: silver_row(row) for row in rows}
    assert len(found) == len(rows), "a key has two rows"
    assert found == {key: expected_row(change) for key, change in expected.items()}

    in_quarantine: dict[str, int] = {}
    for (path,) in shop.rows("quarantine/orders", "_source_file"):
        in_quarantine[path] = in_quarantine.get(path, 0) + 1
    assert in_quarantine == upsert_model.quarantined(taken)
    return expected


def compare_gold(
    shop: SampleLake, silver: dict[str, dict], segment_at: Callable, categories: dict[str, str]
) -> None:
    sales = upsert_model.daily_sales(silver.values(), segment_at, categories)
    columns = shop.tables["gold/daily_sales"].column_names
    assert {tuple(row[c] for c in columns) for row in shop.rows("gold/daily_sales")} == sales


def silver_row(row: dict) -> tuple:
    source = (str(row["_ingestion_date"]), row["_source_file"])
    return (
        row["_deleted_at"],
        row["order_date"],
        row["order_amount"],
        row["order_status"],
        row["customer_id"],
        source,
    )


def expected_row(change: dict) -> tuple:
    if change["is_delete"]:
        return (change["updated_at"], None, None, None, None, change["source"])
    fields = [change[name] for name in ("order_date", "order_amount", "order_status", "customer_id")]
    return (None, *fields, change["source"])
