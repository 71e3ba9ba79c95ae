"""Silver customers is the history (SCD2) that plain Python makes, however its changes come: cut, mixed, late, resent.

Many keys share each lake, since a Spark step costs seconds and a key next to nothing.
"""

import random
import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta, timezone
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from medallion_assets_tests.reference import scd2_model, upsert_model
from medallion_assets_tests.reference.scd2_model import Interval
from medallion_assets_tests.support.sample_lake import SampleLake

DAYS = upsert_model.days_from("2026-01-01", 4)
START = datetime(2026, 1, 1, tzinfo=timezone.utc)
Landed = dict[str, str]

# A change is its hour and its segment, n for none and x for a delete, perhaps with an age: 1A, 2n, 3x, 4B/30.
# A stored row is its segment and its hours: A1-3, n3-5/30, B5-; a tombstone those of its first and last delete: x5-7.
# The key is the name of the case, and it is hashed, so that it decides the ties of upserts.
LITERAL = {  # name: (deliveries, rows in the end)
    "changes in order": ("1A | 2B | 3C", "A1-2 B2-3 C3-"),
    "changes in reverse": ("3C | 2B | 1A", "A1-2 B2-3 C3-"),
    "several changes of one delivery keep their times": ("9C 7A 30A 8B", "A7-8 B8-9 C9-30 A30-"),
    "a value that comes back is a row of its own": ("1A | 2B | 3A", "A1-2 B2-3 A3-"),
    "a resent change is no change": ("1A | 2B | 1A 2B", "A1-2 B2-"),
    # late
    "a late change closes the one before it": ("1A 5C | 3B", "A1-3 B3-5 C5-"),
    "a late change splits an interval at what was coalesced": ("1A 3A | 5A 7A | 4B", "A1-4 B4-5 A5-"),
    "a change older than all history comes first": ("5B | 1A", "A1-5 B5-"),
    "an equal change older than all history extends it to the left": ("5A | 1A", "A1-"),
    "a late change equal to its right neighbour extends it to the left": ("1A 5B | 3B", "A1-3 B3-"),
    "a late change equal to its left neighbour is held by it": ("1A/30 5B/35 | 3A/33", "A1-5/33 B5-/35"),
    # coalesced
    "equal neighbours coalesce": ("1A | 2A 3B | 4B", "A1-3 B3-"),
    "an untracked column is overwritten in place": ("1A/30 | 2A/31", "A1-/31"),
    "a late untracked value is not seen": ("1A/30 3A/33 | 2A/32", "A1-/33"),
    "an untracked column is NULL if it is in the last change": ("1A/30 | 2A", "A1-"),
    "each part of a split has its own untracked values": (
        "1A/30 2A/32 | 5A/35 | 3B/33",
        "A1-3/32 B3-5/33 A5-/35",
    ),
    # NULL
    "no segment is a segment": ("1n | 2A | 3n", "n1-2 A2-3 n3-"),
    "no segment twice coalesces": ("1n/30 | 2n/31", "n1-/31"),
    "no segment is not a gap": ("1A 5B | 3n", "A1-3 n3-5 B5-"),
    "no segment is not a delete": ("1n | 3x | 5n", "n1-3 n5-"),
    "no segment, then a delete": ("1n | 3x", "n1-3 x3-3"),
    # deleted
    "a delete closes": ("1A | 3x", "A1-3 x3-3"),
    "a delete leaves a gap before an equal change": ("1A | 3x | 5A", "A1-3 A5-"),
    "a late delete splits an interval at what was coalesced": ("1A/30 5A/35 | 3x", "A1-3/30 A5-/35"),
    "a delete of an unknown key is a tombstone": ("| 3x", "x3-3"),
    "a change older than the delete of an unknown key": ("3x | 1A", "A1-3 x3-3"),
    "a change younger than the delete of an unknown key": ("3x | 5A", "A5-"),
    "a delete older than all history leaves nothing": ("5A | 1x", "A5-"),
    "deleted twice": ("1A | 3x | 5x", "A1-3 x3-5"),
    "deleted twice, the earlier delete comes last": ("1A | 5x | 3x", "A1-3 x3-5"),
    "deleted twice and inserted again": ("1A | 3x 5x | 7A", "A1-3 A7-"),
    "a late change between two deletes": ("1A 3x 5x | 4B", "A1-3 B4-5 x5-5"),
    "a late change inside a gap": ("1A 3x 7A | 5B", "A1-3 B5-7 A7-"),
    "a late equal change inside a gap": ("1A 3x 7A | 5A", "A1-3 A5-"),
    "a late delete before a gap": ("1A 5x 7A | 3x", "A1-3 A7-"),
    "a late delete inside a gap": ("1A 3x 7A | 5x", "A1-3 A7-"),
    # tied
    "of one time the delete is last": ("1A 3x | 3B", "A1-3 x3-3"),
    "of one time the delete is last, and comes last": ("1A | 3B | 3x", "A1-3 x3-3"),
    "an insert and a delete of one time": ("1A | 1x", "x1-1"),
    "a tie of upserts, the greater hash first": ("2C | 2A", "C2-"),
    "a tie of upserts, the greater hash last": ("2C | 2A", "A2-"),
    "a tie that wins joins its neighbours": ("1A 2C 3A | 2A", "A1-"),
    "a tie that loses is never visible": ("1A 2B | 2C", "A1-2 B2-"),
}
REMOVED = {  # name: (changes of the file that is removed, changes that stay, rows before, rows after)
    "the start of a coalesced interval": ("1A", "3A", "A1-", "A3-"),
    "the end of a coalesced interval": ("3A/33", "1A/30", "A1-/33", "A1-/30"),
    "the middle of a coalesced interval": ("3A", "1A 5A", "A1-", "A1-"),
    "the change that parted equals": ("3B", "1A 5A", "A1-3 B3-5 A5-", "A1-"),
    "the delete that made a gap": ("3x", "1A 5A", "A1-3 A5-", "A1-"),
    "the first delete of two": ("3x", "1A 5x", "A1-3 x3-5", "A1-5 x5-5"),
    "the last delete of two": ("5x", "1A 3x", "A1-3 x3-5", "A1-3 x3-3"),
    "the only delete": ("3x", "1A", "A1-3 x3-3", "A1-"),
    "the upsert after a delete": ("5A", "1A 3x", "A1-3 A5-", "A1-3 x3-3"),
    "all before a delete": ("1A 2B", "3x", "A1-2 B2-3 x3-3", "x3-3"),
    "the winner of a tie": ("1x", "1A", "x1-1", "A1-"),
    "the whole history": ("1A 3x", "", "A1-3 x3-3", ""),
    "a change that a later file has too": ("1A", "1A 3B", "A1-3 B3-", "A1-3 B3-"),
}
BROKEN = [
    {"customer_id": "", "customer_segment": "A", "updated_at": "2026-01-01T01:00:00Z", "op": "U"},
    {"customer_id": "broken", "customer_segment": "A", "updated_at": "", "op": "U"},
    {"customer_id": "broken", "customer_segment": "A", "updated_at": "soon", "op": "D"},
    {"customer_id": "broken", "customer_segment": "A", "updated_at": "2026-01-01T01:00:00Z", "op": "X"},
]


class Deliveries:
    """The customers of one lake; landed: what the folders hold, taken: what silver took of it."""

    def __init__(self, shop: SampleLake) -> None:
        self.shop = shop
        self.landed: dict[tuple[str, str], list[Landed]] = {}
        self.taken: dict[tuple[str, str], list[Landed]] = {}

    def land(self, day: str, name: str, rows: list[Landed]) -> None:
        self.landed[day, name] = rows
        self.shop.land("customers", day, name, rows)

    def remove(self, day: str, name: str) -> list[Landed]:
        self.shop.remove("customers", day, name)
        return self.landed.pop((day, name))

    def merge(self, *days: str) -> None:
        """One step of bronze and one of silver; what they leave is compared with plain Python."""
        before = self.taken
        others = {file: rows for file, rows in before.items() if file[0] not in days}
        self.taken = others | {file: rows for file, rows in self.landed.items() if file[0] in days}
        self.shop.run("bronze/customers", *days)
        merged = self.shop.run("silver/customers", *days)
        self.compare()
        for day in days:
            assert merged[day].unaccounted == {} and merged[day].unique
            if not only_added(files_of(day, before), files_of(day, self.taken)):
                expected = scd2_model.outcomes(self.taken, day)
                assert {outcome: merged[day].total(outcome) for outcome in expected} == expected, day

    def compare(self) -> None:
        rows = self.shop.rows("silver/customers")
        assert_sound(rows)
        found, expected = Counter(map(interval, rows)), Counter(scd2_model.intervals(self.taken))
        assert (some(found - expected), some(expected - found)) == ([], [])  # (only found, only expected)
        winners = [one for one in scd2_model.latest(self.taken).values() if not one.is_delete]
        current = {(row.customer_id, row.sequence, row.source) for row in found if row.is_current}
        assert current == {(one.customer_id, one.sequence, one.source) for one in winners}
        broken = Counter(path for (path,) in self.shop.rows("quarantine/customers", "_source_file"))
        assert dict(broken) == scd2_model.quarantined(self.taken)

    def histories(self, keys: Iterable[str]) -> dict[str, str]:
        """The rows of these keys, as the literal cases tell them."""
        rows = sorted(map(interval, self.shop.rows("silver/customers")), key=lambda row: row.valid_from)
        return {key: " ".join(in_brief(row) for row in rows if row.customer_id == key) for key in keys}


def test_literal_histories(shop: SampleLake):
    customers = Deliveries(shop)
    for number, day in enumerate(DAYS[:3]):
        told = {key: deliveries.split("|")[number:][:1] for key, (deliveries, _) in LITERAL.items()}
        customers.land(day, "a.csv", [row for key, part in told.items() for row in landed_rows(key, *part)])
        customers.merge(day)
    assert customers.histories(LITERAL) == {key: rows for key, (_, rows) in LITERAL.items()}

    before, landed = shop.rows("silver/customers"), customers.landed
    customers.land(DAYS[3], "again.csv", landed[DAYS[0], "a.csv"] + landed[DAYS[2], "a.csv"])
    customers.merge(DAYS[3])
    assert shop.rows("silver/customers") == before


@pytest.mark.long
def test_permuted_and_split_deliveries_end_alike(spark: SparkSession, tmp_path: Path):
    chance = random.Random(2026)
    rows = random_rows(chance, [f"c{i}" for i in range(300)])
    # Of one key and time one change alone, or else it matters which line of a file comes last.
    single = list({(row["customer_id"], row["updated_at"]): row for row in rows}.values())
    rows = [*single, *chance.sample(single, len(single) // 8), *BROKEN]
    in_order, mixed = sorted(rows, key=lambda row: row["updated_at"]), chance.sample(rows, len(rows))
    one, two, three, _ = DAYS
    ends = [
        deliver(SampleLake(spark, tmp_path / "in order"), in_order, [[one], [two], [three]]),
        deliver(SampleLake(spark, tmp_path / "latest first"), in_order, [[three], [two], [one]]),
        deliver(SampleLake(spark, tmp_path / "mixed"), mixed, [[two, three], [one]]),
    ]
    assert len({key for key, *_ in ends[0]}) == 300
    assert ends[0] == ends[1] == ends[2]


def deliver(shop: SampleLake, rows: list[Landed], steps: list[list[str]]) -> Counter:
    """Each day brings its share of the changes in two files; the rows in the end, but for the files they are from."""
    customers, days = Deliveries(shop), sorted(day for step in steps for day in step)
    for number, day in enumerate(days):
        first, end = (len(rows) * n // len(days) for n in (number, number + 1))
        customers.land(day, "b.csv", rows[first:end:2])
        customers.land(day, "a.csv", rows[first + 1 : end : 2] + rows[first : first + 20])
    for step in steps:
        customers.merge(*step)
    found = shop.rows("silver/customers")
    return Counter((*interval(row)[:-1], row["_data_quality_score"]) for row in found)


@pytest.mark.long
def test_restatement_equals_a_fold_of_what_is_landed_now(shop: SampleLake):
    chance, customers = random.Random(7), Deliveries(shop)
    one, two, three, _ = DAYS
    keys = [f"c{i}" for i in range(200)]
    more = {
        (day, name): random_rows(chance, keys, most=2)
        for day in (one, two, three)
        for name in ("a.csv", "b.csv")
    }
    more[two, "a.csv"] += [row for key, case in REMOVED.items() for row in landed_rows(key, case[0])]
    more[three, "a.csv"] += [row for key, case in REMOVED.items() for row in landed_rows(key, case[1])]
    before, after = ({key: case[n] for key, case in REMOVED.items()} for n in (2, 3))
    for (day, name), rows in more.items():
        customers.land(day, name, rows)
    customers.merge(one, two, three)
    assert customers.histories(REMOVED) == before

    gone = customers.remove(two, "a.csv")
    customers.merge(two)
    assert customers.histories(REMOVED) == after

    customers.land(one, "a.csv", without_age(random_rows(chance, keys[:50])))  # corrected, but not merged yet
    customers.remove(one, "b.csv")
    customers.land(three, "c.csv", gone)  # a file more: merged on top
    customers.merge(three)
    assert customers.histories(REMOVED) == before
    customers.merge(one)

    customers.land(two, "a.csv", gone)  # the same rows in an older file: this is now where they are from
    customers.land(two, "b.csv", more[two, "b.csv"][::3])
    customers.merge(two)
    assert customers.histories(REMOVED) == before

    for name in ("a.csv", "b.csv", "c.csv"):
        customers.remove(three, name)
    customers.merge(three)


def landed_rows(key: str, told: str = "") -> list[Landed]:
    """`1A 3x 4B/30` as rows of a file."""
    words = re.findall(r"(\d+)([A-Cnx])(?:/(\d+))?", told)
    return [
        landed_row(key, int(hour), segment) | ({"age": age} if age else {}) for hour, segment, age in words
    ]


def landed_row(key: str, hour: int, segment: str) -> Landed:
    return {
        "customer_id": key,
        "customer_segment": "" if segment in "nx" else segment,
        "updated_at": f"{START + timedelta(hours=hour):%Y-%m-%dT%H:%M:%SZ}",
        "op": "D" if segment == "x" else "U",
    }


def random_rows(chance: random.Random, keys: Iterable[str], most: int = 8) -> list[Landed]:
    """Up to `most` changes of each key, some of them resent, and some broken rows."""
    rows = [random_row(chance, key) for key in keys for _ in range(chance.randint(1, most))]
    return [*rows, *chance.sample(rows, len(rows) * 15 // 100), *BROKEN]


def random_row(chance: random.Random, key: str) -> Landed:
    """Few times, so that changes tie, and few values, so that they coalesce; a delete may bring fields, which count."""
    row = landed_row(key, chance.randrange(6), chance.choice("AAABBnxx"))
    if row["op"] == "D":
        return row | chance.choice([{}, {"age": "30"}, {"customer_segment": "A"}])
    return row | {"age": chance.choice(["30", "31", ""]), "op": chance.choice(["I", "U", "u", ""])}


def without_age(rows: list[Landed]) -> list[Landed]:
    return [{name: text for name, text in row.items() if name != "age"} for row in rows]


def interval(row: dict[str, Any]) -> Interval:
    return Interval(
        row["customer_id"],
        row["customer_segment"],
        row.get("age"),
        *(row[name] for name in ("updated_at", "valid_from", "valid_to", "is_current", "_deleted_at")),
        sequence=tuple(row["_sequence"].values()),
        source=(str(row["_ingestion_date"]), row["_source_file"]),
    )


def in_brief(row: Interval) -> str:
    """`A1-3/30`, as the literal cases tell it."""
    end = row.deleted_at or row.valid_to
    hours = [(at - START) / timedelta(hours=1) if at else None for at in (row.valid_from, end)]
    first, last = ("" if hour is None else f"{hour:g}" for hour in hours)
    segment = "x" if row.deleted_at else row.customer_segment or "n"
    return f"{segment}{first}-{last}" + (f"/{row.age}" if row.age else "")


def assert_sound(rows: list[dict[str, Any]]) -> None:
    """What holds of any history, straight from its rows."""
    per_key = defaultdict(list)
    for row in sorted(rows, key=lambda row: row["valid_from"]):
        per_key[row["customer_id"]].append(row)
    for key, own in per_key.items():
        *closed, last = own  # the last is the current one, or the tombstone
        assert last["valid_to"] is None and last["is_current"] == (last["_deleted_at"] is None), key
        for row, after in zip(closed, own[1:], strict=True):
            assert not row["is_current"] and row["_deleted_at"] is None, key
            assert row["valid_from"] < row["valid_to"] <= after["valid_from"], key
        for row, after in pairwise(own if last["is_current"] else closed):
            is_equal = row["customer_segment"] == after["customer_segment"]
            assert not is_equal or row["valid_to"] < after["valid_from"], f"{key} has equal rows side by side"


def files_of(day: str, landed: upsert_model.Landed) -> dict[str, list]:
    return {name: rows for (other, name), rows in landed.items() if other == day}


def only_added(before: dict[str, list], now: dict[str, list]) -> bool:
    """Then the older files keep the outcomes of an older step, which are not compared."""
    return bool(before) and all(now.get(name) == rows for name, rows in before.items())


def some(rows: Counter) -> list:
    return sorted(rows, key=str)[:5]
