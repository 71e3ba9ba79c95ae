"""Lakes over which anything may happen, in any order: at every settled point each is what plain Python says it is.

A lake holds several histories side by side, each with days and keys of its own, since a Spark step costs seconds and a
day or a key next to nothing: what happens to the files of each is drawn anew, and one step carries them all.
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
from hypothesis import seed as seeded
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

# 2 tests of 2 lakes (the first of which is as small as can be) of 5 histories: 20 histories, and 6 steps of Spark or
# more in each.
SIDE_BY_SIDE = 5
SETTINGS = settings(
    max_examples=2,
    stateful_step_count=6,
    deadline=None,
    database=None,
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
ALL_DAYS = upsert_model.days_from(DAYS[0], len(DAYS) * SIDE_BY_SIDE)
Row = dict[str, Any]


class Files:
    """The landing of a lake. landed: source -> what its folders hold; taken: what bronze and silver took of it."""

    def __init__(self, shop: SampleLake) -> None:
        self.shop, self.settled = shop, True
        self.landed: dict[str, dict[tuple[str, str], list[Row]]] = {source: {} for source in SOURCES}
        self.taken: dict[str, dict[tuple[str, str], list[Row]]] = {source: {} for source in SOURCES}
        for product, category in CATEGORIES.items():
            self.put("products", DAYS[0], f"{product}.csv", [member("product", product, category)])

    def put(self, source: str, day: str, name: str, rows: list[Row]) -> None:
        self.landed[source][day, name] = rows
        self.shop.land(source, day, name, rows)
        self.settled = False

    def remove(self, day: str, name: str) -> None:
        del self.landed["orders"][day, name]
        self.shop.remove("orders", day, name)
        self.settled = False

    def take(self, source: str, days: Collection[str]) -> bool:
        """What a step of silver takes; whether it is other than before."""
        before = self.taken[source]
        kept = {at: rows for at, rows in before.items() if at[0] not in days}
        self.taken[source] = kept | {at: r for at, r in self.landed[source].items() if at[0] in days}
        return self.taken[source] != before


class History:
    """The edits of one history, all on its own days and keys. Each carries the changes of a hundred keys or more."""

    def __init__(self, number: int, files: Files) -> None:
        self.number, self.files, self.minute = number, files, 0
        self.days = ALL_DAYS[number * len(DAYS) :][: len(DAYS)]
        members = [member("customer", self.own(c), segment) for c, segment in SEGMENTS.items()]
        files.put("customers", self.days[0], "c.csv", members)

    def land(self, day: str, chance: random.Random) -> None:
        """A new file, or a wholly different one in its place."""
        rows = [self.random_row(chance) for _ in range(chance.randrange(100, 200))]
        self.files.put("orders", day, chance.choice(FILES), rows)

    def resend(self, day: str, chance: random.Random) -> None:
        """Rows of any file once more, as they were."""
        self.change(day, "resent", chance, lambda row: row)

    def land_late(self, day: str, chance: random.Random) -> None:
        """Changes of last year, on any day."""
        old = {"updated_at": "2025-12-31T10:00:00Z"}
        self.change(day, "late", chance, lambda row: row | old | {"order_amount": "0.99"})

    def delete_keys(self, day: str, chance: random.Random) -> None:
        now = self.now()
        self.change(
            day, "deletes", chance, lambda row: {"order_id": row["order_id"], "updated_at": now, "op": "D"}
        )

    def revive_keys_on_another_event_day(self, day: str, chance: random.Random) -> None:
        """The newest change of keys that are alive or dead; most of them move."""
        now = self.now()
        self.change(
            day,
            "moves",
            chance,
            lambda row: row | {"updated_at": now, "op": "U", "order_date": chance.choice(self.days)},
        )

    def change_a_segment(self, day: str, chance: random.Random) -> None:
        customer, segment = self.own(chance.choice(["c1", "c2", "c3"])), chance.choice(["GOLD", "IRON", ""])
        row = member("customer", customer, segment) | {"updated_at": self.now()}
        self.files.put("customers", day, f"{self.minute}.csv", [row])

    def delete_a_customer(self, day: str, chance: random.Random) -> None:
        customer = self.own(chance.choice(["c1", "c2", "c3"]))
        row = {"customer_id": customer, "updated_at": self.now(), "op": "D"}
        self.files.put("customers", day, f"{self.minute}.csv", [row])

    def correct_a_file(self, day: str, chance: random.Random) -> None:
        """Some rows of any file are others now, and some are gone."""
        if at := self.any_file(chance):
            kept = [row for row in self.files.landed["orders"][at] if chance.random() < 0.7]
            self.files.put("orders", *at, kept + [self.random_row(chance) for _ in range(30)])

    def remove_a_file(self, day: str, chance: random.Random) -> None:
        if at := self.any_file(chance):
            self.files.remove(*at)

    # Helpers

    def own(self, key: str) -> str:
        return f"{self.number}-{key}" if key else key

    def random_row(self, chance: random.Random) -> Row:
        """A row that any history may have, with keys and event day of this one."""
        row, day_of = random_row(chance), dict(zip(DAYS, self.days, strict=True))
        own = {name: self.own(row.get(name, "")) for name in ("order_id", "customer_id")}
        day = row.get("order_date", "")
        return row | own | {"order_date": day_of.get(day, day)}

    def now(self) -> str:
        """A time after all that random rows bear, on the second day, so that segments change between event days."""
        self.minute += 1
        return f"{self.days[1]}T00:{self.minute:02d}:00Z"

    def change(self, day: str, name: str, chance: random.Random, change: Callable[[Row], Row]) -> None:
        """Lands a file of its own with changed copies of rows that landed (of fresh ones, if there are too few)."""
        known = [
            row for at in self.landed for row in self.files.landed["orders"][at] if row.get("order_amount")
        ]
        rows = chance.sample(known, 100) if len(known) >= 100 else [self.random_row(chance) for _ in KEYS]
        self.minute += 1
        self.files.put("orders", day, f"{name} {self.minute}.csv", [change(row) for row in rows])

    @property
    def landed(self) -> list[tuple[str, str]]:
        """Its files of orders."""
        return sorted(at for at in self.files.landed["orders"] if at[0] in self.days)

    def any_file(self, chance: random.Random) -> tuple[str, str] | None:
        found = chance.choice(self.landed) if self.landed else None
        note(f"history {self.number}: {found}")
        return found


def of_each(what: st.SearchStrategy) -> st.SearchStrategy:
    return st.tuples(*[what] * SIDE_BY_SIDE)


SEED, DAY = st.integers(0, 2**32 - 1), st.integers(0, len(DAYS) - 1)
EDIT = st.tuples(
    st.sampled_from(
        [
            History.land,
            History.resend,
            History.land_late,
            History.delete_keys,
            History.revive_keys_on_another_event_day,
            History.change_a_segment,
            History.delete_a_customer,
            History.correct_a_file,
            History.remove_a_file,
        ]
    ),
    DAY,
    SEED,
)
EDITS = of_each(st.lists(EDIT, min_size=1, max_size=3))
SOME_DAYS = of_each(st.sets(DAY, min_size=1))
Edits = tuple[list[tuple[Callable[..., None], int, int]], ...]
Days = tuple[set[int], ...]


def whatever_happens(spark: SparkSession, number: int) -> None:
    run_state_machine_as_test(seeded(number)(lambda: Histories(spark)), settings=SETTINGS)  # type: ignore[arg-type]


class TestFirstHistories:
    """A worker takes a class at once: in two, they run side by side."""

    def test_silver_is_a_merge_and_gold_a_recomputation(self, spark: SparkSession):
        whatever_happens(spark, 1)


class TestSecondHistories:
    def test_silver_is_a_merge_and_gold_a_recomputation(self, spark: SparkSession):
        whatever_happens(spark, 2)


class Histories(RuleBasedStateMachine):
    """Each rule edits what is landed, runs steps, or what the sensors ask for, and compares.

    stale: gold may not know yet what silver holds
    """

    def __init__(self, spark: SparkSession):
        super().__init__()
        self.opened = ExitStack()
        folder = self.opened.enter_context(tempfile.TemporaryDirectory())
        self.shop = SampleLake(spark, Path(folder), ONES)
        patch = self.opened.enter_context(pytest.MonkeyPatch.context())
        patch.setenv("MEDALLION_LAKEHOUSE", self.shop.lake.root)
        patch.setenv("MEDALLION_LANDING", str(self.shop.landing))
        self.desk = DagsterRunner(self.shop, self.opened.enter_context(dg.DagsterInstance.ephemeral()))
        self.files, self.stale = Files(self.shop), False
        self.histories = [History(number, self.files) for number in range(SIDE_BY_SIDE)]

    def teardown(self) -> None:
        """What is left over is materialized and compared, unless the history has failed already."""
        try:
            if sys.exc_info()[0] is None and not self.files.settled:
                self.run(ONES, ALL_DAYS)
        finally:
            self.opened.close()

    @rule(edits=EDITS, days=SOME_DAYS)
    def materialize(self, edits: Edits, days: Days) -> None:
        self.edit(edits)
        self.run(ONES, self.named(days))

    @rule(
        edits=EDITS, days=SOME_DAYS, source=st.sampled_from(["orders", "customers"]), and_tick=st.booleans()
    )
    def materialize_without_gold(self, edits: Edits, days: Days, source: str, and_tick: bool) -> None:
        """Gold is behind then, until a later step or, right away, until stale_gold has asked for it."""
        self.edit(edits)
        self.run([f"bronze/{source}", f"silver/{source}"], self.named(days))
        if and_tick:
            self.follow("stale_gold")
            assert self.desk.ask("stale_gold") == []
            self.stale = False
            self.compare()

    @precondition(lambda self: self.files.taken["orders"].keys() & self.files.landed["orders"].keys())
    @rule(seed=SEED)
    def restate_days_after_corrections(self, seed: int) -> None:
        """Of each history a file, taken or not, is another one now."""
        chance, before = random.Random(seed), dict(self.files.landed["orders"])
        for history in self.histories:
            history.correct_a_file("", chance)
        after = self.files.landed["orders"]
        self.run(ONES, {day for (day, name), rows in after.items() if rows is not before[day, name]})

    @rule(edits=EDITS)
    def tick_every_sensor_and_run_what_they_ask(self, edits: Edits) -> None:
        """A day whose files are all gone is told, not asked for."""
        self.edit(edits)
        self.follow("landed_files")
        self.follow("stale_gold")
        assert [self.desk.ask(s) for s in ("landed_files", "landed_files", "stale_gold")] == [[], [], []]
        for source in SOURCES:
            landed, taken = self.files.landed[source].items(), self.files.taken[source].items()
            assert landed <= taken, f"{source}: days not asked for"
        self.stale = False
        self.compare()

    # Helpers

    def edit(self, edits: Edits) -> None:
        for history, own in zip(self.histories, edits, strict=True):
            for change, day, seed in own:
                change(history, history.days[day], random.Random(seed))

    def named(self, days: Days) -> set[str]:
        return {history.days[day] for history, own in zip(self.histories, days, strict=True) for day in own}

    def follow(self, sensor: str) -> None:
        """The steps of all that it asks for; two ticks at a time, since a landed file must have been seen twice."""
        while asked := self.desk.ask(sensor) + self.desk.ask(sensor):
            for request in asked:
                first, last = span(request)
                self.run(assets(request), [day for day in ALL_DAYS if first <= day <= last], compare=False)

    def run(self, keys: Collection[str], days: Collection[str], compare: bool = True) -> None:
        """The steps of these tables for these days, layer by layer."""
        for key in (key for key in ONES if key in keys):
            self.shop.run(key, *sorted(days))
            layer, name = key.split("/")
            if layer == "silver":
                self.stale |= self.files.take(name, days)
            if layer == "gold":
                self.stale = False
        self.files.settled = self.files.taken == self.files.landed and not self.stale
        if compare:
            self.compare()

    def compare(self) -> None:
        taken = self.files.taken
        silver = compare_silver(self.shop, taken["orders"])
        if not self.stale:
            segments = partial(scd2_model.segment_at, scd2_model.intervals(taken["customers"]))
            categories = upsert_model.members(taken["products"], "product_id", "product_category")
            compare_gold(self.shop, silver, segments, categories)


def member(kind: str, name: str, group: str) -> dict[str, str]:
    field = {"customer": "customer_segment", "product": "product_category"}[kind]
    return {f"{kind}_id": name, field: group, "updated_at": "2026-01-01T00:00:00Z"}
