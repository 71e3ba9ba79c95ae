"""Files as CDC tools write them end as the table that they tell of: a small database that is changed at random.

No line here knows how silver orders changes. The last state of the database is what silver must hold.
"""

import json
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest
from pyspark.sql import SparkSession

from medallion_assets.lakehouse.silver.checks import blocked_by
from medallion_assets.tables import CDC_EXAMPLES, find_tables
from medallion_assets_tests.support.sample_lake import SampleLake, as_csv

ONE, TWO = "2026-01-05", "2026-01-06"
KEYS, CHANGES, FILES = range(1, 16), 120, 6
Value = int | None
WHOLE = 12345678901234567
"""A balance is this and millionths: a number of more digits than a double has."""


@dataclass(frozen=True)
class Change:
    """What was done to a row: I, U or D; numbered from 1 on."""

    number: int
    op: str
    key: int
    before: Value
    after: Value


@dataclass
class Database:
    """A table of a key and a value that is changed at random."""

    chance: random.Random
    rows: dict[int, Value] = field(default_factory=dict)
    number: int = 0

    def change(self) -> Change:
        key, before = self.chance.choice(KEYS), None
        op = "I"
        if key in self.rows:
            op, before = self.chance.choice("UUD"), self.rows[key]
        after = None if op == "D" else self.chance.randrange(1, 10**6)
        self.number += 1
        if after is None:
            del self.rows[key]
        else:
            self.rows[key] = after
        return Change(self.number, op, key, before, after)


Files = dict[tuple[str, str], str]
"""(day, name) -> content."""


def dealt(changes: list[Change]) -> list[tuple[str, list[Change]]]:
    """The changes in six files in their order, the last two on the second day."""
    size = len(changes) // FILES
    parts = [changes[i * size : (i + 1) * size] for i in range(FILES)]
    return [(TWO if i >= FILES - 2 else ONE, part) for i, part in enumerate(parts)]


def at(number: int, every: int = 7) -> str:
    """Several changes have one time."""
    return f"2026-01-05 10:{number // every // 60:02d}:{number // every % 60:02d}"


def dms_customers(load: dict[int, Value], changes: list[Change]) -> Files:
    rows = [{"id": key, "name": value} for key, value in load.items()]
    files = {(ONE, "LOAD00000001.csv"): as_csv(rows)}
    for i, (day, part) in enumerate(dealt(changes)):
        rows = [{"Op": c.op, "id": c.key, "name": c.after or c.before} for c in part]
        files[day, f"20260105-10{i:02d}00123.csv"] = as_csv(rows)
    return files


def dms_orders(load: dict[int, Value], changes: list[Change]) -> Files:
    """The load bears the time of the first changes."""
    rows = [{"Op": "I", "changed_at": at(0), "id": key, "amount": value} for key, value in load.items()]
    files = {(ONE, "LOAD00000001.csv"): as_csv(rows)}
    for i, (day, part) in enumerate(dealt(changes)):
        rows = [{"Op": c.op, "changed_at": at(c.number), "id": c.key, "amount": c.after or "0"} for c in part]
        files[day, f"20260105-10{i:02d}00123.csv"] = as_csv(rows)
    return files


def envelope(change: Change) -> dict[str, Any]:
    def image(value: Value) -> Any:
        return value and {"id": change.key, "name": f"N{value}", "balance": f"@{WHOLE}.{value:06d}"}

    op = {"I": "c", "U": "u", "D": "d"}[change.op]
    before = {"id": change.key} if change.op == "D" else None
    source = {"connector": "postgresql", "lsn": 10**9 + change.number}
    return {
        "before": before,
        "after": image(change.after),
        "source": source,
        "op": op,
        "ts_ms": 1767607200000,
    }


def lines(records: list[Any], chance: random.Random) -> str:
    """JSON lines in any order: the log's number tells it."""
    text = "\n".join(json.dumps(record) for record in chance.sample(records, len(records)))
    return re.sub(r'"@([0-9.]+)"', r"\1", text)


def debezium(wrapped: Callable[[dict[str, Any]], Any], others: list[Any]) -> "Writer":
    def write(load: dict[int, Value], changes: list[Change]) -> Files:
        chance = random.Random(1)
        snapshot = [envelope(Change(0, "I", key, None, value)) | {"op": "r"} for key, value in load.items()]
        files = {(ONE, "snapshot.jsonl"): lines([wrapped(one) for one in snapshot], chance)}
        for i, (day, part) in enumerate(dealt(changes)):
            files[day, f"{FILES - i}.jsonl"] = lines([*(wrapped(envelope(c)) for c in part), *others], chance)
        return files

    return write


def unwrapped(one: dict[str, Any]) -> dict[str, Any]:
    row = one["after"] or {"id": one["before"]["id"], "name": None, "balance": None}
    return row | {"__deleted": str(one["op"] == "d").lower(), "__lsn": one["source"]["lsn"]}


def with_images(words: dict[str, str], named: Callable[[Change], dict[str, Any]], column: str) -> "Writer":
    """CSV with a row for each image: an update has one before and one after."""

    def write(load: dict[int, Value], changes: list[Change]) -> Files:
        loaded = [Change(0, "I", key, None, value) for key, value in load.items()]
        files: Files = {}
        for i, (day, part) in enumerate([(ONE, loaded), *dealt(changes)]):
            rows = [row for change in part for row in images(change)]
            files[day, f"{FILES - i}.csv"] = as_csv(rows)
        return files

    def images(change: Change) -> Iterator[dict[str, Any]]:
        for kind, value in [("B", change.before)] * (change.op == "U") + [
            (change.op, change.after or change.before)
        ]:
            yield {column: words[kind], "id": change.key, **named(change), "value": value}

    return write


Writer = Callable[[dict[int, Value], list[Change]], Files]

HEARTBEAT = {"ts_ms": 1767607200000}
FEED = {"I": "insert", "U": "update_postimage", "B": "update_preimage", "D": "delete"}
TOOLS: dict[str, tuple[str, Writer]] = {  # table: (column of the value, what writes its files)
    "dms_customers": ("name", dms_customers),
    "dms_orders": ("amount", dms_orders),
    "debezium_changes": ("balance", debezium(lambda one: one, [HEARTBEAT])),
    "debezium_messages": (
        "balance",
        debezium(
            lambda one: {"schema": {"type": "struct"}, "payload": one},
            [{"schema": None, "payload": None}, {"schema": None, "payload": HEARTBEAT}],
        ),
    ),
    "debezium_rows": ("balance", debezium(unwrapped, [])),
    "delta_feed": (
        "price",
        with_images(FEED, lambda c: {"_commit_version": c.number}, "_change_type"),
    ),
    "sql_server_changes": (
        "stock",
        with_images(
            {"D": "1", "I": "2", "B": "3", "U": "4"},
            lambda c: {"__$start_lsn": f"0x{c.number // 5:020X}", "__$seqval": f"0x{c.number:020X}"},
            "__$operation",
        ),
    ),
    "golden_gate": (
        "owner",
        with_images(
            {"D": "D", "I": "INSERT", "B": "B", "U": "u"},
            lambda c: {"op_ts": f"{at(c.number, 40)}.12345{c.number:04d}", "pos": 0},
            "op_type",
        ),
    ),
}
VOID = {"debezium_changes": FILES, "debezium_messages": 2 * FILES}


@pytest.fixture(scope="module")
def lake(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> SampleLake:
    return SampleLake(spark, tmp_path_factory.mktemp("cdc"), find_tables(CDC_EXAMPLES))


@pytest.mark.parametrize("tool", TOOLS)
def test_the_table_is_what_the_database_was_in_the_end(tool: str, lake: SampleLake):
    database, (column, write) = Database(random.Random(tool)), TOOLS[tool]
    for _ in range(10):
        database.change()
    database.number = 0
    load = dict(database.rows)
    changes = [database.change() for _ in range(CHANGES)]
    for (day, name), content in write(load, changes).items():
        lake.land(tool, day, name, content.replace(",value\n", f",{column}\n", 1))

    lake.run(f"bronze/{tool}", ONE, TWO)
    days = lake.run(f"silver/{tool}", TWO, ONE)

    assert stored(lake, tool, column) == database.rows
    for day in days.values():
        assert (day.unaccounted, day.without_op, blocked_by(lake.tables[f"silver/{tool}"], day)) == (
            {},
            [],
            None,
        )
        assert (day.total("undecided"), day.total("quarantined")) == (0, 0)
    before_images = sum(change.op == "U" for change in changes) if tool in list(TOOLS)[5:] else 0
    assert sum(day.total("void") for day in days.values()) == VOID.get(tool, before_images)


def stored(lake: SampleLake, tool: str, column: str) -> dict[int, Value]:
    """Key -> value of the live rows; of a balance its millionths."""
    rows = [row for row in lake.rows(f"silver/{tool}") if row["_deleted_at"] is None]
    values = {row["id"]: Decimal(row[column]) for row in rows}
    if column == "balance":
        values = {key: (value - WHOLE).scaleb(6) for key, value in values.items()}
    return {key: int(value) for key, value in values.items()}
