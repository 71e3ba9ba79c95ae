"""Messages in Avro in silver: each read by the schema that it was written with, the rest kept with its place."""

from base64 import b64encode
from collections.abc import Iterator
from typing import Any

import pytest

from medallion_assets.contracts.column import Column
from medallion_assets.contracts.payloads import Avro, Debezium
from medallion_assets.errors import MedallionError
from medallion_assets.lakehouse.silver.refresh import refresh_days
from medallion_assets_tests.support.events import event, follow, live, poison, take, today
from medallion_assets_tests.support.kafka_broker import Broker
from medallion_assets_tests.support.sample_lake import SampleLake
from medallion_assets_tests.support.schema_registry import (
    PASSWORD,
    Registry,
    data,
    decimal,
    framed,
    integer,
    schema_registry,
)

AMOUNT = {"type": "bytes", "logicalType": "decimal", "precision": 10, "scale": 2}
TIME = {"type": "long", "logicalType": "timestamp-micros"}
FIELDS = (("id", "long"), ("name", "string"), ("amount", AMOUNT), ("at", TIME))
AT, MICROSECONDS = "2026-01-05 10:00:00.123456+00:00", 1_767_607_200_123_456
NULL, THERE = integer(0), integer(1)


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Iterator[Registry]:
    with schema_registry() as running:
        monkeypatch.setenv("SHOP_REGISTRY", running.url)
        yield running


def record(number: int, id: int, name: str, cents: int, *more: bytes) -> bytes:
    return framed(number, integer(id), data(name), decimal(cents), integer(MICROSECONDS), *more)


def test_each_message_is_read_by_its_own_schema_and_what_has_none_waits_in_quarantine(
    shop: SampleLake, broker: Broker, registry: Registry
):
    topic = broker.topic()
    follow(shop, broker, topic, Avro("$SHOP_REGISTRY"), Column("at", "timestamp"))
    registry.register(1, *FIELDS)
    registry.register(2, *FIELDS, ("note", ["null", "string"]), ("shop", {"type": "map", "values": "int"}))
    registry.register(3, ("id", ["null", "long"]), ("name", ["null", "string"]))
    registry.register(4, *FIELDS, schemaType="PROTOBUF")
    good = [
        record(1, 1, "first", 100),
        record(2, 2, "second", -250, THERE, data("n"), integer(1), data("k"), integer(7), integer(0)),
        event(3, "in JSON", at=AT)[1],
        framed(3, NULL, NULL),  # 3: read, but no key
        record(1, 1, "later", 300),
    ]
    broken = [
        b"\1" + record(1, 9, "wrong magic byte", 1)[1:],
        record(99, 5, "no such schema", 500),
        record(1, 9, "cut off", 1)[:-4],
        framed(3, THERE),
        record(4, 9, "not Avro", 1),
        b"",
        b"\0\0",
    ]
    broker.send(topic, [(b"\0\0\0\0\0\0\0\x63", value) for value in [*good, *broken]])
    day = take(shop)
    assert live(shop) == {1: ("later", "3.00"), 2: ("second", "-2.50"), 3: ("in JSON", "1.00")}
    (second,) = [row for row in shop.rows("silver/events") if row["id"] == 2]
    assert (str(second["at"]), second["note"], second["shop"]) == (AT, "n", '{"k":7}')
    found = poison(shop)
    assert sorted(found) == [3, *range(5, 12)]
    assert found[3] == (["id_not_null", "at_not_null"], None)
    assert [(found[5 + i][1], found[5 + i][0][0]) for i in range(len(broken))] == [
        (b64encode(value).decode(), "well_formed") for value in broken
    ]
    assert (day.total("quarantined"), day.unaccounted) == (8, {})
    assert {number: registry.asked.count(number) for number in (1, 2, 3)} == {1: 1, 2: 1, 3: 1}
    assert 0 not in registry.asked  # keys are nobody's matter here

    registry.register(99, *FIELDS)
    again = refresh_days(shop.lake, shop.tables["silver/events"], [today()], again=[today()])
    assert live(shop)[5] == ("no such schema", "5.00") and again[today()].total("quarantined") == 7


def test_debezium_in_avro_is_merged_by_its_lsn(shop: SampleLake, broker: Broker, registry: Registry):
    topic = broker.topic()
    follow(shop, broker, topic, Avro("$SHOP_REGISTRY", Debezium()), Column("lsn", "bigint"))
    row = {"type": "record", "name": "row", "fields": [{"name": n, "type": t} for n, t in FIELDS[:3]]}
    source = {"name": "lsn", "type": ["null", "long"]}, {"name": "ts_ms", "type": "long"}
    registry.register(7, ("id", "long"))
    registry.register(
        8,
        ("before", ["null", row]),
        ("after", ["null", "row"]),
        ("source", {"type": "record", "name": "source", "fields": list(source)}),
        ("op", "string"),
    )

    def sent(id: int, op: str, lsn: int, *after: bytes) -> tuple[bytes, bytes]:
        image = [THERE, *after] if after else [NULL]
        told = (THERE, integer(lsn), integer(1_767_261_600_123))
        return framed(7, integer(id)), framed(8, NULL, *image, *told, data(op))

    def columns(id: int, name: str, cents: int) -> tuple[bytes, ...]:
        return integer(id), data(name), decimal(cents)

    gone = framed(7, integer(2))
    messages: list[tuple[Any, Any]] = [
        sent(1, "c", 10, *columns(1, "first", 100)),
        sent(2, "r", 10, *columns(2, "to go", 100)),
        sent(1, "u", 30, *columns(1, "last", 300)),
        sent(1, "u", 20, *columns(1, "outdated", 200)),
        sent(2, "d", 40),
        (gone, None),
    ]
    broker.send(topic, messages)
    day = take(shop)
    assert live(shop) == {1: ("last", "3.00")}
    assert (day.total("void"), day.total("deleted"), day.total("quarantined"), day.unaccounted) == (
        1,
        1,
        0,
        {},
    )


def test_a_registry_that_cannot_be_asked_is_named_and_its_messages_come_later(
    shop: SampleLake, broker: Broker, registry: Registry, monkeypatch: pytest.MonkeyPatch
):
    topic = broker.topic()
    follow(shop, broker, topic, Avro("$SHOP_REGISTRY"), Column("at", "timestamp"))
    registry.register(11, *FIELDS)
    broker.send(topic, [(None, record(11, 1, "first", 100))])
    for url, told, retryable in (
        ("http://shop:wrong@127.0.0.1:1", "http://127.0.0.1:1 does not answer", True),
        (registry.url.replace("p%40ss%3Aword", "wrong"), "refuses the login (401)", False),
        (f"{registry.url}/apis", f"{registry.shown}/apis is not Confluent's API of a schema registry", False),
        ("", "the environment variable SHOP_REGISTRY, of a schema registry, is not set", False),
    ):
        monkeypatch.setenv("SHOP_REGISTRY", url)
        with pytest.raises(MedallionError) as raised:
            take(shop)
        assert told in str(raised.value) and raised.value.retryable is retryable
        assert PASSWORD not in str(raised.value) and "wrong" not in str(raised.value)
    monkeypatch.setenv("SHOP_REGISTRY", registry.url)
    take(shop)
    assert live(shop) == {1: ("first", "1.00")}
