"""A lake over which anything may happen, in any order: at every settled point it is what plain Python says it is.

A rule that edits only changes landed files; the other rules run steps, or what the sensors ask for, and compare. Each
edit carries the changes of a hundred keys or more, since a Spark step costs seconds and a key next to nothing.
"""

import random
import sys
import tempfile
from collections.abc import Callable, Collection
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from hypothesis import HealthCheck, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test
from pyspark.sql import SparkSession

from medallion_assets_tests.properties.test_upsert_equals_model import (
    CATEGORIES,
    DAYS,
    FILES,
    KEYS,
    SEGMENTS,
    compare_gold,
    compare_silver,
    random_row,
)
from medallion_assets_tests.reference import scd2_model, upsert_model
from medallion_assets_tests.support.dagster_runner import DagsterRunner, assets, span
from medallion_assets_tests.support.sample_lake import TABLES, SampleLake

pytestmark = [pytest.mark.long, pytest.mark.timeout(3600)]

SETTINGS = settings(
    max_examples=25,
    stateful_step_count=12,
    deadline=None,
    derandomize=True,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)
SOURCES = ("orders", "customers", "products")
SALES = TABLES["gold/daily_sales"]
ONES = {
    key: table
    for key, table in TABLES.items()
    if key in {*SALES.ancestor_keys, SALES.key} - {"gold/dim_date"}
}

DAY, SOME_DAYS = st.sampled_from(DAYS), st.sets(st.sampled_from(DAYS), min_size=1)
SEED = st.integers(0, 2**32 - 1)


def test_whatever_happens_silver_is_a_fold_and_gold_a_recomputation(spark: SparkSession):
    run_state_machine_as_test(lambda: History(spark), settings=SETTINGS)  # type: ignore[arg-type]


class History(RuleBasedStateMachine):
    """landed: what the folders hold; taken: what bronze and silver took of it; behind: gold may not know it yet."""

    def __init__(self, spark: SparkSession):
        super().__init__()
        self.opened = ExitStack()
        folder = self.opened.enter_context(tempfile.TemporaryDirectory())
        self.shop = SampleLake(spark, Path(folder), ONES)
        patch = self.opened.enter_context(pytest.MonkeyPatch.context())
        patch.setenv("MEDALLION_LAKEHOUSE", self.shop.lake.root)
        patch.setenv("MEDALLION_LANDING", str(self.shop.landing))
        self.desk = DagsterRunner(self.shop, self.opened.enter_context(dg.DagsterInstance.ephemeral()))
        self.landed: dict[str, dict[tuple[str, str], list[dict[str, Any]]]] = {s: {} for s in SOURCES}
        self.taken: dict[str, dict[tuple[str, str], list[dict[str, Any]]]] = {s: {} for s in SOURCES}
        self.staleness, self.settled, self.minute = False, True, 0
        self.put("products", DAYS[0], "p.csv", [member("product", p, c) for p, c in CATEGORIES.items()])
        self.put("customers", DAYS[0], "c.csv", [member("customer", c, s) for c, s in SEGMENTS.items()])

    def teardown(self) -> None:
        """What is left over is materialized and compared, unless the history has failed already."""
        try:
            if sys.exc_info()[0] is None and not self.settled:
                self.run(ONES, DAYS)
        finally:
            self.opened.close()

    # Edits of the landing

    @rule(day=DAY, name=st.sampled_from(FILES), seed=SEED)
    def land(self, day: str, name: str, seed: int) -> None:
        """A new file, or a wholly different one in its place."""
        chance = random.Random(seed)
        self.put("orders", day, name, [random_row(chance) for _ in range(chance.randrange(100, 200))])

    @rule(day=DAY, seed=SEED)
    def resend(self, day: str, seed: int) -> None:
        """Rows of any file once more, as they were."""
        self.change(day, "resent", random.Random(seed), lambda row: row)

    @rule(day=DAY, seed=SEED)
    def land_late(self, day: str, seed: int) -> None:
        """Changes of last year, on any day."""
        old = {"updated_at": "2025-12-31T10:00:00Z"}
        self.change(day, "late", random.Random(seed), lambda row: row | old | {"order_amount": "0.99"})

    @rule(day=DAY, seed=SEED)
    def delete_keys(self, day: str, seed: int) -> None:
        now = self.now()
        self.change(
            day,
            "deletes",
            random.Random(seed),
            lambda row: {"order_id": row["order_id"], "updated_at": now, "op": "D"},
        )

    @rule(day=DAY, seed=SEED)
    def revive_keys_on_another_event_day(self, day: str, seed: int) -> None:
        """The newest change of keys that are alive or dead; half of them move."""
        chance, now = random.Random(seed), self.now()
        self.change(
            day,
            "moves",
            chance,
            lambda row: row | {"updated_at": now, "op": "U", "order_date": chance.choice(DAYS)},
        )

    @rule(
        day=DAY, customer=st.sampled_from(["c1", "c2", "c3"]), segment=st.sampled_from(["GOLD", "IRON", ""])
    )
    def change_a_segment(self, day: str, customer: str, segment: str) -> None:
        row = member("customer", customer, segment) | {"updated_at": self.now()}
        self.put("customers", day, f"{self.minute}.csv", [row])

    @rule(day=DAY, customer=st.sampled_from(["c1", "c2", "c3"]))
    def delete_a_customer(self, day: str, customer: str) -> None:
        row = {"customer_id": customer, "updated_at": self.now(), "op": "D"}
        self.put("customers", day, f"{self.minute}.csv", [row])

    @precondition(lambda self: self.landed["orders"])
    @rule(seed=SEED)
    def correct_a_file(self, seed: int) -> None:
        self.corrected(random.Random(seed))

    @precondition(lambda self: self.landed["orders"])
    @rule(seed=SEED)
    def remove_a_file(self, seed: int) -> None:
        day, name = random.Random(seed).choice(sorted(self.landed["orders"]))
        note(f"removed: {day}/{name}")
        del self.landed["orders"][day, name]
        self.shop.remove("orders", day, name)
        self.settled = False

    # Steps, and what is compared after them

    @rule(days=SOME_DAYS)
    def materialize(self, days: set[str]) -> None:
        self.run(ONES, days)

    @rule(days=SOME_DAYS, source=st.sampled_from(["orders", "customers"]), and_tick=st.booleans())
    def materialize_without_gold(self, days: set[str], source: str, and_tick: bool) -> None:
        """Gold is behind then, until a later step or, right away, until stale_gold has asked for it."""
        self.run([f"bronze/{source}", f"silver/{source}"], days)
        if and_tick:
            self.follow("stale_gold")
            assert self.desk.ask("stale_gold") == []
            self.staleness = False
            self.compare()

    @precondition(lambda self: self.taken["orders"].keys() & self.landed["orders"].keys())
    @rule(seed=SEED)
    def restate_a_day_after_a_correction(self, seed: int) -> None:
        self.run(ONES, [self.corrected(random.Random(seed))])

    @rule()
    def tick_every_sensor_and_run_what_they_ask(self) -> None:
        """A day whose files are all gone is told, not asked for."""
        self.follow("landed_files")
        self.follow("stale_gold")
        assert [self.desk.ask(s) for s in ("landed_files", "landed_files", "stale_gold")] == [[], [], []]
        for source in SOURCES:
            assert self.landed[source].items() <= self.taken[source].items(), f"{source}: days not asked for"
        self.staleness = False
        self.compare()

    # Helpers

    def follow(self, sensor: str) -> None:
        """Two ticks, since a landed file must have been seen twice, and the steps of what they ask for."""
        for request in self.desk.ask(sensor) + self.desk.ask(sensor):
            first, last = span(request)
            self.run(assets(request), [day for day in DAYS if first <= day <= last], compare=False)

    def now(self) -> str:
        """A time after all that random rows bear."""
        self.minute += 1
        return f"2026-01-02T00:{self.minute:02d}:00Z"

    def put(self, source: str, day: str, name: str, rows: list[dict[str, Any]]) -> None:
        self.landed[source][day, name] = rows
        self.shop.land(source, day, name, rows)
        self.settled = False

    def change(self, day: str, name: str, chance: random.Random, change: Callable[[dict], dict]) -> None:
        """Lands a file of its own with changed copies of rows that landed (of fresh ones, if there are too few)."""
        known = [row for rows in self.landed["orders"].values() for row in rows if row.get("order_amount")]
        fresh = [random_row(chance) for _ in KEYS]
        rows = chance.sample(known, 100) if len(known) >= 100 else fresh
        self.put("orders", day, f"{name} {len(self.landed['orders'])}.csv", [change(row) for row in rows])

    def corrected(self, chance: random.Random) -> str:
        """Some rows of a file are others now, and some are gone. Returns its day."""
        day, name = chance.choice(sorted(self.landed["orders"]))
        note(f"corrected: {day}/{name}")
        kept = [row for row in self.landed["orders"][day, name] if chance.random() < 0.7]
        self.put("orders", day, name, kept + [random_row(chance) for _ in range(30)])
        return day

    def run(self, keys: Collection[str], days: Collection[str], compare: bool = True) -> None:
        """The steps of these tables for these days, layer by layer."""
        for key in (key for key in ONES if key in keys):
            self.shop.run(key, *sorted(days))
            layer, name = key.split("/")
            if layer == "silver":
                taken = {at: rows for at, rows in self.taken[name].items() if at[0] not in days}
                now = taken | {at: rows for at, rows in self.landed[name].items() if at[0] in days}
                self.staleness |= now != self.taken[name]
                self.taken[name] = now
            if layer == "gold":
                self.staleness = False
        self.settled = self.taken == self.landed and not self.staleness
        if compare:
            self.compare()

    def compare(self) -> None:
        silver = compare_silver(self.shop, self.taken["orders"])
        if not self.staleness:
            segments = partial(scd2_model.segment_at, scd2_model.intervals(self.taken["customers"]))
            categories = upsert_model.members(self.taken["products"], "product_id", "product_category")
            compare_gold(self.shop, silver, segments, categories)


def member(kind: str, name: str, group: str) -> dict[str, str]:
    field = {"customer": "customer_segment", "product": "product_category"}[kind]
    return {f"{kind}_id": name, field: group, "updated_at": "2026-01-01T00:00:00Z"}
