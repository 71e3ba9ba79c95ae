"""Whatever is lost before a history goes on: the lake still equals the models, or a run is loud and the next mends it.

Lost are rows of ledgers, whole control tables, all of them, or rows that somebody removed from a table by hand.
"""

import random
import shutil
from collections.abc import Callable, Collection

import pytest
from deltalake import DeltaTable
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st
from pyspark.sql import SparkSession

from medallion_assets.errors import MedallionError
from medallion_assets_tests.properties.test_upsert_equals_model import (
    DAYS,
    FILES,
    apply,
    compare,
    history,
)
from medallion_assets_tests.support.sample_lake import SampleLake

pytestmark = [pytest.mark.long, pytest.mark.timeout(3600)]

TABLES = ["bronze/orders", "silver/orders", "gold/fact_orders", "gold/daily_sales"]
LEDGERS = ["control/landed_files", "control/folded_files", "control/refreshes"]


def lose_all(shop: SampleLake, chance: random.Random) -> None:
    shutil.rmtree(shop.lake.path("control"))


def lose_a_ledger(shop: SampleLake, chance: random.Random) -> None:
    shutil.rmtree(shop.lake.path(chance.choice(LEDGERS)))


def lose_rows_of_a_ledger(shop: SampleLake, chance: random.Random) -> None:
    remove(shop, chance.choice(LEDGERS[:2]), "path", chance)


def lose_a_table(shop: SampleLake, chance: random.Random) -> None:
    shutil.rmtree(shop.lake.path(chance.choice(TABLES[1:])))


def lose_rows_of_a_table(shop: SampleLake, chance: random.Random) -> None:
    key = chance.choice(TABLES)
    remove(shop, key, "order_date" if key.startswith("gold") else "order_id", chance)


def remove(shop: SampleLake, key: str, column: str, chance: random.Random) -> None:
    values = sorted({str(value) for (value,) in shop.rows(key, column) if value is not None})
    if values:
        chosen = chance.sample(values, min(len(values), chance.choice([1, 3])))
        note(f"{key} without {column} {chosen}")
        listed = ", ".join(f"'{value}'" for value in chosen)
        DeltaTable(shop.lake.path(key)).delete(f"{column} IN ({listed})")


def materialized(shop: SampleLake, days: Collection[str]) -> Collection[str]:
    """The days that were taken: these, or all where a run was loud."""
    try:
        shop.materialize(*days)
    except MedallionError as loud:
        note(f"{type(loud).__name__}: {loud}")
        shop.materialize(*DAYS)
        return DAYS
    return days


LOSSES: list[Callable[[SampleLake, random.Random], None]] = [
    lose_all,
    lose_a_ledger,
    lose_rows_of_a_ledger,
    lose_a_table,
    lose_rows_of_a_table,
]
EDITS = st.sets(
    st.tuples(st.sampled_from(DAYS), st.sampled_from(FILES), st.sampled_from(["land", "resend", "delete"])),
    max_size=4,
)
STEPS = st.lists(
    st.tuples(st.sampled_from(LOSSES), EDITS, st.sets(st.sampled_from(DAYS), min_size=1)),
    min_size=2,
    max_size=4,
)


@settings(max_examples=2, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(steps=STEPS, seed=st.integers(0, 2**32 - 1))
def test_a_lake_that_lost_its_memory_equals_the_models(spark: SparkSession, steps: list, seed: int):
    with history(spark, seed) as (shop, chance):
        landed, taken = {}, {}
        for day in DAYS:
            apply(shop, landed, chance, day, FILES[0], "land")
        shop.materialize(*DAYS)
        for lose, edits, days in [*steps, (lose_rows_of_a_table, (), DAYS)]:
            taken = taken or dict(landed)
            lose(shop, chance)
            for edit in sorted(edits):
                apply(shop, landed, chance, *edit)
            done = materialized(shop, days)
            taken = {at: rows for at, rows in taken.items() if at[0] not in done}
            taken |= {at: rows for at, rows in landed.items() if at[0] in done}
            compare(shop, taken)
