"""Random histories of keys, as open implementations of AUTO CDC prove themselves with: order of delivery does not show.

A history is 10 keys with up to 40 events each: 20 % deletes, 15 % resent, 25 % NULLs outside the key, times that tie.
All histories of a seed are merged side by side, since a Spark step costs seconds and a key next to nothing.
"""

import json
import os
import random
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest
from pyspark.sql import SparkSession

from medallion_assets.contracts.bronze import BronzeTable, Land
from medallion_assets.contracts.column import Column
from medallion_assets.contracts.merge_policies import Upsert
from medallion_assets.contracts.silver import SilverTable
from medallion_assets.lakehouse import silver
from medallion_assets_tests.reference import upsert_model
from medallion_assets_tests.support.sample_lake import SampleLake, as_csv

pytestmark = pytest.mark.long
HISTORIES, KEYS, MOST_EVENTS, BATCHES = 50, 10, 40, 8
FRACTIONS = ("", ".5", ".500000", ".5000001", ".50000012", ".500000119")
DAYS = upsert_model.days_from("2026-01-01", BATCHES)

LANDED = BronzeTable(
    name="events",
    description="Changes of a key of two columns, as landed",
    write=Land("events"),
    columns=tuple(
        Column(name) for name in ("shop_id", "event_id", "amount", "event_date", "note", "updated_at")
    ),
)
LATEST = SilverTable(
    name="events",
    description="The latest state of each key",
    inputs=(LANDED,),
    write=Upsert(keys=("shop_id", "event_id"), sequence_by=("updated_at",)),
    partition_by="event_date",
    columns=(
        Column("shop_id"),
        Column("event_id"),
        Column("amount", "decimal(18,2)"),
        Column("event_date", "date"),
        Column("note"),
        Column("updated_at", "timestamp"),
    ),
)

COMPARED = (*LATEST.column_names, "_sequence", "_deleted_at")
SOURCE = ("_ingestion_date", "_source_file")

Event = dict[str, str | None]


@dataclass(frozen=True)
class Deliveries:
    """The same events, delivered in two ways: lakes, and the batches that each of them got."""

    ordered: SampleLake
    shuffled: SampleLake
    in_order: "list[Batch]"
    in_any_order: "list[Batch]"


@pytest.fixture(scope="module", params=[2026])
def deliveries(
    request: pytest.FixtureRequest, spark: SparkSession, tmp_path_factory: pytest.TempPathFactory
) -> Deliveries:
    """The parameter is the seed: a test that fails has it in its name, and the number of the history in its key."""
    seed = request.param
    events = [e for n in range(HISTORIES) for e in history(f"h{n}", random.Random(f"{seed} {n}"))]
    tables = {LANDED.key: LANDED, LATEST.key: LATEST}
    ordered, shuffled = (
        SampleLake(spark, tmp_path_factory.mktemp(way), tables) for way in ("in_order", "any_order")
    )
    one_way, other_way = in_order(events), in_any_order(events, random.Random(seed))
    deliver(ordered, one_way)
    for batches in other_way:
        deliver(shuffled, batches)
    return Deliveries(ordered, shuffled, one_way, [one for some in other_way for one in some])


def test_ordered_and_shuffled_deliveries_give_the_table_that_the_oracle_says(deliveries: Deliveries):
    ways = [(deliveries.ordered, deliveries.in_order), (deliveries.shuffled, deliveries.in_any_order)]
    for shop, batches in ways:
        expected = winners(batches)
        assert len(expected) == HISTORIES * KEYS
        assert differences(stored(shop), expected) == []
        assert shop.rows("quarantine/events") == []


def test_a_full_refresh_gives_the_identical_table(deliveries: Deliveries):
    shop = deliveries.shuffled
    before = stored(shop, *SOURCE)
    silver.rebuild(shop.lake, LATEST)
    assert differences(stored(shop, *SOURCE), before) == []


def test_a_batch_that_is_applied_twice_makes_no_commit(deliveries: Deliveries):
    shop = deliveries.shuffled
    version = shop.table(LATEST.key).version()
    day, other = DAYS[0], DAYS[1]
    shop.run(LATEST.key, day)  # the same files
    for path in sorted((shop.landing / f"events/date={day}").iterdir()):
        shop.land("events", day, f"z {path.name}", path.read_bytes())  # the same rows in other files
    for path in (shop.landing / f"events/date={other}").iterdir():
        os.utime(path, (0, 0))  # the same rows in files of another time, so that their day is restated
    shop.run(LANDED.key, day, other)
    shop.run(LATEST.key, day)
    shop.run(LATEST.key, other)
    assert shop.table(LATEST.key).version() == version


def history(shop_id: str, chance: random.Random) -> list[Event]:
    """The events of ten keys; some of them come once more."""
    counts = [(f"k{key}", chance.randint(1, MOST_EVENTS)) for key in range(KEYS)]
    events = [event(shop_id, key, chance) for key, count in counts for _ in range(count)]
    return events + [chance.choice(events) for _ in range(len(events) * 15 // 100)]


def event(shop_id: str, event_id: str, chance: random.Random) -> Event:
    """Two texts of an amount or a time may mean the same; there are few times, so that there are ties."""
    is_delete = chance.random() < 0.2
    fields = {
        "amount": chance.choice(["1", "1.00", "2.005", "2.01", "-3.5", "1234567890123456.78"]),
        "event_date": chance.choice(DAYS[:3]),
        "note": chance.choice(["first", "second", 'a "quoted" ü, with \\ and a comma', " "]),
    }
    return {
        "shop_id": shop_id,
        "event_id": event_id,
        "op": chance.choice(["D", "d"] if is_delete else ["I", "U", "c", "u", "r", None]),
        "updated_at": f"2026-01-01T10:{chance.randrange(30):02d}:00{chance.choice(FRACTIONS)}Z",
        **{name: None if chance.random() < 0.25 else text for name, text in fields.items()},
    }


Batch = tuple[str, str, list[Event]]
"""Ingestion day, file name, rows."""


def in_order(events: list[Event]) -> list[Batch]:
    """One file a day, each with the events of a span of time."""
    ordered = sorted(events, key=lambda one: (one["updated_at"] or "").rstrip("Z"))
    size = -(-len(ordered) // BATCHES)
    return [(day, "events.csv", ordered[i * size : (i + 1) * size]) for i, day in enumerate(DAYS)]


def in_any_order(events: list[Event], chance: random.Random) -> list[list[Batch]]:
    """Half of the batches, one for each of four days in any order; then a second one for each, in another order."""
    mixed = chance.sample(events, len(events))
    days = DAYS[: BATCHES // 2]
    first = [(day, "b.csv", mixed[i::BATCHES]) for i, day in enumerate(days)]
    second = [(day, "a.jsonl", mixed[len(days) + i :: BATCHES]) for i, day in enumerate(days)]
    return [chance.sample(batches, len(batches)) for batches in (first, second)]


def deliver(shop: SampleLake, batches: list[Batch]) -> None:
    """Lands the batches and merges their days one by one."""
    for day, name, rows in batches:
        shop.land("events", day, name, as_json_lines(rows) if name.endswith(".jsonl") else as_csv(rows))
    shop.run(LANDED.key, *(day for day, _, _ in batches))
    for day, _, _ in batches:
        shop.run(LATEST.key, day)


def as_json_lines(rows: list[Event]) -> str:
    """A NULL is a field that is null, or that is not there."""
    return "\n".join(
        json.dumps({k: v for k, v in row.items() if i % 2 or v is not None}) for i, row in enumerate(rows)
    )


Rows = dict[tuple[str, str], dict[str, Any]]


def winners(batches: list[Batch]) -> Rows:
    """Key -> the row of the change with the greatest (time, delete after upsert, hash).

    Of the rows of one file that have one key and time only the last one stands for election.
    """
    best: Rows = {}
    for _, _, rows in batches:
        changes = [((one["shop_id"] or "", one["event_id"] or ""), silver_row(one)) for one in rows]
        last = {(key, rank(row)[:2]): (key, row) for key, row in changes}
        for key, row in last.values():
            if key not in best or rank(row) > rank(best[key]):
                best[key] = row
    return best


def rank(row: dict[str, Any]) -> tuple:
    """Time, nanoseconds beyond its microseconds, delete after upsert, hash."""
    return tuple(row["_sequence"].values())


def silver_row(one: Event) -> dict[str, Any]:
    """What silver keeps of an event, if it wins; of a delete that is its key and its time."""
    text, _, fraction = (one["updated_at"] or "").rstrip("Z").partition(".")
    at = datetime.strptime(text, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=timezone.utc)
    at += timedelta(microseconds=int(fraction[:6].ljust(6, "0")))
    fields = {
        "amount": one["amount"] and Decimal(one["amount"]).quantize(upsert_model.CENT, ROUND_HALF_UP),
        "event_date": one["event_date"] and date.fromisoformat(one["event_date"]),
        "note": one["note"],
        "updated_at": at,
    }
    key = {name: one[name] for name in ("shop_id", "event_id")}
    is_delete = one["op"] in ("D", "d")
    kept = dict.fromkeys(fields) if is_delete else fields
    sequence = {
        "updated_at": at,
        "_updated_at_nanoseconds": int(fraction[6:].ljust(3, "0")),
        "is_delete": is_delete,
        "content_hash": upsert_model.content(key | fields),
    }
    return key | kept | {"_sequence": sequence, "_deleted_at": at if is_delete else None}


def stored(shop: SampleLake, *more: str) -> Rows:
    """What silver holds but the source of each row and the time of its folding, which differ between deliveries."""
    rows = shop.rows(LATEST.key)
    found = {
        (row["shop_id"], row["event_id"]): {name: row[name] for name in (*COMPARED, *more)} for row in rows
    }
    assert len(found) == len(rows), "a key has two rows"
    return found


def differences(found: Rows, expected: Rows) -> list[tuple]:
    """(key, what was found, what was expected) where they differ."""
    keys = sorted(found.keys() | expected.keys())
    return [(k, found.get(k), expected.get(k)) for k in keys if found.get(k) != expected.get(k)][:5]
