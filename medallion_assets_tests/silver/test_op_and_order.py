"""What a landed row does to its key and which of two changes counts, as a contract says it."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from medallion_assets.contracts import BronzeTable, Column, FileOrder, Land, Op, SilverTable, Upsert
from medallion_assets.lakehouse.silver.checks import silver_checks
from medallion_assets.lakehouse.silver.day_metrics import OUTCOMES, SilverDayMetrics
from medallion_assets_tests.support.sample_lake import SampleLake

ONE, TWO = "2026-01-05", "2026-01-06"
LANDED = BronzeTable(
    name="parts",
    description="As landed",
    write=Land("parts"),
    columns=tuple(Column(name, optional=True) for name in ("payload", "gone", "at", "Op", "id", "v")),
)
BY_FILES = SilverTable(
    name="parts",
    description="A nested op, predicates, files by time of landing",
    inputs=(LANDED,),
    write=Upsert(
        keys=("id",),
        op=Op("payload.op", deletes="_op = 'DEL' OR gone = 'yes'", ignores=("NoOp",), upserts=("put",)),
        file_order=FileOrder(first="full-*", by="landing"),
    ),
    columns=(Column("id", source=("payload.row.Id", "payload.old.Id")), Column("v", source="payload.row.v")),
)
TIMED = BronzeTable(
    name="timed", description="As landed", write=Land("timed"), columns=(Column("at"), Column("id"))
)
BY_TIME = SilverTable(
    name="timed",
    description="A plain op, a time",
    inputs=(TIMED,),
    write=Upsert(keys=("id",), sequence_by=("at",)),
    columns=(Column("id"), Column("v"), Column("at", "timestamp")),
)


@pytest.fixture
def lake(spark: SparkSession, tmp_path: Path) -> SampleLake:
    return SampleLake(spark, tmp_path, {one.key: one for one in (LANDED, BY_FILES, TIMED, BY_TIME)})


def land(lake: SampleLake, day: str, name: str, landed_at: int, *records: dict[str, Any]) -> None:
    path = lake.land("parts", day, name, "\n".join(map(json.dumps, records)))
    os.utime(path, (landed_at, landed_at))


def put(key: str, value: str, **more: Any) -> dict[str, Any]:
    return {"payload": {"op": "put", "row": {"Id": key, "v": value}}} | more


def delete(key: str) -> dict[str, Any]:
    return {"payload": {"op": "del", "row": None, "old": {"Id": key}}}


def live(lake: SampleLake, name: str) -> dict[str, str]:
    return {row["id"]: row["v"] for row in lake.rows(f"silver/{name}") if row["_deleted_at"] is None}


def outcomes(day: SilverDayMetrics) -> tuple[int, ...]:
    return tuple(day.total(name) for name in (*OUTCOMES, "undecided"))


def failed(table: SilverTable, day: SilverDayMetrics) -> set[str]:
    return {check.name for check in silver_checks(table) if not check.evaluate(day).passed}


def test_words_predicates_and_files_decide_as_the_contract_says(lake: SampleLake):
    land(lake, ONE, "full-1.jsonl", 900, put("a", "full"), put("b", "full"), put("c", "full"))
    land(
        lake,
        ONE,
        "a.jsonl",
        300,
        put("a", "third"),
        delete("b"),
        put("d", "1.10"),
        delete("d"),
        put("d", "again"),
    )
    land(
        lake,
        ONE,
        "b.jsonl",
        200,
        put("a", "second"),
        put("c", "second", gone="yes"),
        {"payload": {"op": "noop"}},
    )
    land(lake, ONE, "other.jsonl", 400, {"id": "x", "v": "no op"}, {"id": "y", "v": "no op"})
    land(
        lake,
        ONE,
        "c.jsonl",
        100,
        {"payload": {"op": "what", "row": {"Id": "e"}}},
        {"payload": {"op": "NOOP"}},
    )
    lake.run("bronze/parts", ONE)
    day = lake.run("silver/parts", ONE)[ONE]
    assert live(lake, "parts") == {"a": "third", "d": "again"}
    assert outcomes(day) == (2, 6, 2, 2, 3, 0)
    assert day.unaccounted == {} and day.quality_score is not None
    assert day.without_op == [f"parts/date={ONE}/{name}.jsonl" for name in ("c", "other")]
    assert failed(BY_FILES, day) >= {"op_found", "op_known"}
    found = lake.run("silver/parts", ONE)[ONE]  # from the ledger
    assert (outcomes(found), found.without_op) == (outcomes(day), day.without_op)


def row(key: str, value: str, at: str, op: str = "U") -> dict[str, str]:
    return {"id": key, "v": value, "at": at, "op": op}


def test_of_one_time_the_place_in_the_file_decides_then_deletes_then_content(lake: SampleLake):
    t = "2026-01-05 10:00:00"
    first = [
        row("place", "1", t), row("place", "", t, "D"), row("place", "3", t),
        row("digits", "late", f"{t}.123456701"), row("digits", "early", f"{t}.1234567"),
        row("zone", "early", f"{t}.1+00:00"), row("zone", "late", f"{t}.100000001+00:00"),
        row("zone", "cut", f"{t}.1"), row("gone", "", t, "D"), row("tie", "1", t), row("same", "1", t),
    ]  # fmt: skip
    second = [
        row("gone", "not", t),
        row("tie", "2", t),
        row("same", "1", t),
        row("digits", "mid", f"{t}.123456700"),
    ]
    lake.land("timed", ONE, "a.csv", first)
    lake.land("timed", TWO, "a.csv", second)
    lake.run("bronze/timed", ONE, TWO)
    days = lake.run("silver/timed", TWO) | lake.run("silver/timed", ONE)
    found = live(lake, "timed")
    assert found.pop("tie") in ("1", "2")
    assert found == {"place": "3", "digits": "late", "zone": "late", "same": "1"}
    assert [day.total("undecided") for day in days.values()] == [0, 1]
    assert "order_undecided" in failed(BY_TIME, days[ONE]) and "order_undecided" not in failed(
        BY_TIME, days[TWO]
    )
