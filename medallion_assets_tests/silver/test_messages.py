"""Messages of a topic in silver: what their bytes say is merged like rows of files; what cannot be read is kept."""

import json
from dataclasses import replace
from typing import Any

import pytest

from medallion_assets.contracts.changes import Op
from medallion_assets.contracts.column import Column
from medallion_assets.contracts.payloads import Debezium, Json
from medallion_assets.lakehouse.bronze import batches, ingest_source
from medallion_assets.lakehouse.silver.checks import blocked_by
from medallion_assets_tests.support.events import event, follow, live, poison, take
from medallion_assets_tests.support.kafka_broker import Broker, Message
from medallion_assets_tests.support.sample_lake import SampleLake


def test_what_is_no_json_goes_to_quarantine_with_its_place_and_the_rest_goes_on(
    shop: SampleLake, broker: Broker
):
    topic = broker.topic(partitions=2)
    follow(shop, broker, topic, Json())
    broken: list[bytes | str] = [
        b'{"id": 1, "name": "\xff"}',
        "no json",
        "",
        "null",
        "[1]",
        '{"id": 2} {"id": 3}',
        '{"id": 4},{"id": 5}',
        '{"id": 6}garbage',
        '{"id": 7, "id": 8}',
        '{"id": 9, "ID": 10}',
        '{"id": 11, "name": "half \\ud800"}',
    ]
    wrong = [event("x", "no number"), event(12, "no amount", "much"), (None, '{"name": "no key"}')]
    tombstones: list[Message] = [("13", None), (None, None)]
    good = [
        event(20, "first"),
        event(21, "large", "99999999.99"),
        event(22, "é", 7.10, more={"a": [1.50, None]}),
    ]
    broker.send(topic, [*[(None, text) for text in broken], *wrong, *tombstones, *good])
    broker.send(topic, [event(23, "elsewhere"), event(30, "x" * 5_000_000)], partition=1)
    day = take(shop)
    assert live(shop) == {
        20: ("first", "1.00"),
        21: ("large", "99999999.99"),
        22: ("é", "7.10"),
        23: ("elsewhere", "1.00"),
        30: ("x" * 5_000_000, "1.00"),
    }
    assert next(row["more"] for row in shop.rows("silver/events") if row["id"] == 22) == '{"a":[1.5,null]}'
    found = poison(shop)
    assert sorted(found) == list(range(len(broken) + len(wrong)))
    assert all("well_formed" in found[offset][0] for offset in range(len(broken)))
    assert [found[offset][1] for offset in range(1, 9)] == list(broken[1:9])
    assert [found[len(broken) + i] for i in range(3)] == [
        (["id_not_null", "id_is_bigint"], None),
        (["amount_is_decimal"], None),
        (["id_not_null"], None),
    ]
    assert {row["_topic"] for row in shop.rows("quarantine/events")} == {topic}
    assert (day.total("void"), day.total("quarantined"), day.unaccounted) == (2, 14, {})


def test_of_two_messages_that_nothing_else_tells_apart_the_later_counts(shop: SampleLake, broker: Broker):
    topic = broker.topic()
    follow(shop, broker, topic, Json(), Column("at", "timestamp"))
    same, later = "2026-01-01T10:00:00Z", "2026-01-01T10:00:01Z"
    broker.send(topic, [event(1, "z", at=same), event(1, "a", at=same), event(2, "z", at=later)])
    take(shop)
    broker.send(topic, [event(1, "b", at=same), event(2, "late", at=same), event(3, "z", at=same)])
    broker.send(topic, [event(3, "gone", at=same, op="D")])
    take(shop)
    assert live(shop) == {1: ("b", "1.00"), 2: ("z", "1.00")}


def test_midnight_and_a_clock_that_is_set_back_keep_the_order_of_the_messages(
    shop: SampleLake, broker: Broker, monkeypatch: pytest.MonkeyPatch
):
    topic, one, two = broker.topic(), "2026-01-05", "2026-01-06"
    follow(shop, broker, topic, Json())  # nothing but the order of batches tells which counts
    for day, name in ((one, "first"), (two, "second"), (one, "third")):
        for module in (batches, ingest_source):
            monkeypatch.setattr(module, "utc_today", lambda day=day: day)
        broker.send(topic, [event(1, name)])
        shop.run("bronze/events", day)
        shop.run("silver/events", one, two)
    assert shop.rows("bronze/events", "offset", "_ingestion_date") == [(0, one), (1, two), (2, two)]
    assert live(shop) == {1: ("third", "1.00")}


def envelope(op: str, lsn: int, before: Any = None, after: Any = None, **source: Any) -> dict[str, Any]:
    told = {"lsn": lsn, "ts_ms": 1_767_261_600_123, "snapshot": "false", **source}
    return {"op": op, "before": before, "after": after, "source": told, "ts_ms": 1, "transaction": None}


def row(id: int, name: str, amount: str | None = "1.00") -> dict[str, Any]:
    return {"id": id, "name": name, "amount": amount}


WORD = "__debezium_unavailable_value"
UNAVAILABLE: tuple[
    Any, ...
] = (  # as Debezium sends them of a text, bytes, and arrays of texts, numbers and UUIDs
    WORD,
    "X19kZWJleml1bV91bmF2YWlsYWJsZV92YWx1ZQ==",
    "5f5f646562657a69756d5f756e617661696c61626c655f76616c7565",
    [WORD],
    list(WORD.encode()),
    ["b68a35a7-17ad-35b3-af2a-ae46edb4545a"],
    {WORD: WORD},
)


def test_envelopes_of_debezium_are_merged_by_their_lsn(shop: SampleLake, broker: Broker):
    topic = broker.topic()
    follow(shop, broker, topic, Debezium(), Column("lsn", "bigint"))

    def sent(id: Any, value: Any) -> Message:
        return json.dumps({"id": id}), None if value is None else json.dumps(value)

    wrapped = {"schema": {"type": "struct"}, "payload": envelope("u", 50, after=row(4, "wrapped"))}
    broker.send(
        topic,
        [
            sent(1, envelope("r", 10, after=row(1, "snapshot"), snapshot="first")),
            sent(2, envelope("r", 10, after=row(2, "snapshot"))),
            sent(1, envelope("u", 30, after=row(1, "newest"))),
            sent(1, envelope("u", 20, after=row(1, "outdated"))),
            # A change of a key: all with one LSN; what else `before` says is made up.
            sent(2, envelope("d", 40, before={"id": 2, "name": "", "amount": "0.00"})),
            sent(2, None),
            sent(3, envelope("c", 40, after=row(3, "was 2"))),
            (json.dumps({"schema": {}, "payload": {"id": 4}}), json.dumps(wrapped)),
            (None, json.dumps({"ts_ms": 5})),
            (None, json.dumps({"status": "BEGIN", "id": "571", "ts_ms": 5})),
            (None, json.dumps({"op": "m", "ts_ms": 5, "source": {}, "message": {"prefix": "x"}})),
            (None, json.dumps({"payload": None, "schema": None})),
            sent(5, envelope("c", 41, after=row(5, "__debezium_unavailable_value"))),
            sent(6, envelope("c", 42)),
            (None, json.dumps({"hello": "world"})),
            sent(9, envelope("c", 60, after=row(9, "last", None))),
        ],
    )
    day = take(shop)
    assert live(shop) == {
        1: ("newest", "1.00"),
        3: ("was 2", "1.00"),
        4: ("wrapped", "1.00"),
        9: ("last", "None"),
    }
    assert sorted(poison(shop)) == [12, 13, 14]
    assert (day.total("void"), day.total("quarantined"), day.total("deleted"), day.unaccounted) == (
        5,
        3,
        1,
        {},
    )
    (first,) = [found for found in shop.rows("silver/events") if found["id"] == 9]
    assert (first["source_ts"], first["snapshot"]) == ("2026-01-01T10:00:00.123Z", "false")

    before = live(shop)
    twice = '{"op": "c", "op": "d", "after": {"id": 11}, "source": {"lsn": 62}}'
    broker.send(topic, [sent(10, envelope("c", 61, after=row(10, "half \ud800"))), (None, twice)])
    broker.send(
        topic, [sent(1, envelope("u", 63, after=row(1, "newer") | {"more": no})) for no in UNAVAILABLE]
    )
    take(shop)
    bad = [12, 13, 14, *range(16, 18 + len(UNAVAILABLE))]
    assert live(shop) == before and sorted(poison(shop)) == bad

    # Nobody knows of which rows a table was emptied: the day waits until the contract says what that means.
    broker.send(
        topic, [(None, json.dumps(envelope("t", 70))), sent(11, envelope("c", 71, after=row(11, "after")))]
    )
    day, silver = take(shop), shop.tables["silver/events"]
    assert live(shop) == before and blocked_by(silver, day) == "not_truncated"
    op = Op("op", ignores=("T",))
    shop.tables["silver/events"] = replace(silver, write=replace(silver.write, op=op))
    day = take(shop)
    assert live(shop) == {**before, 11: ("after", "1.00")} and day.total("void") == 6
