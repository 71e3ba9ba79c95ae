"""A Kafka topic carried to bronze by its offsets: every message that counts, byte for byte, once, whatever happens."""

import json
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from medallion_assets.contracts.bronze import BronzeTable, FollowTopic
from medallion_assets.lakehouse import bronze
from medallion_assets.lakehouse.bronze import batches
from medallion_assets.lakehouse.control import watermarks
from medallion_assets.lakehouse.control.file_ledger import LandedEntry, entries
from medallion_assets.lakehouse.monitoring.source_changes import sources_with_news
from medallion_assets.lakehouse.sources.base import SourceError
from medallion_assets.lakehouse.sources.kafka_stream import MicroBatch, streamed
from medallion_assets.local_servers.kafka import as_shop
from medallion_assets_tests.support.events import today
from medallion_assets_tests.support.kafka_broker import Broker, kafka_broker
from medallion_assets_tests.support.sample_lake import SampleLake
from medallion_assets_tests.support.streams import until

KEY = "bronze/order_events"


def follow(shop: SampleLake, broker: Broker, topic: str, **given: Any) -> BronzeTable:
    write = FollowTopic(topic, broker.servers, **given)
    table = BronzeTable(name="order_events", description="Orders as they happen.", write=write)
    shop.tables = {KEY: table}
    return table


def held(shop: SampleLake) -> list[tuple[int, int, bytes | None]]:
    rows = shop.rows(KEY)
    return sorted((row["partition"], row["offset"], row["value"]) for row in rows)


def state(shop: SampleLake) -> tuple[Any, ...]:
    """The last watermark: status, value, rows."""
    last = watermarks.watermarks(shop.lake.root)[KEY][-1]
    return last.status, last.watermark_value, last.rows


def values(*texts: str) -> list[tuple[None, str]]:
    return [(None, text) for text in texts]


def test_every_message_comes_once_as_it_was_sent(shop: SampleLake, broker: Broker):
    topic = broker.topic(partitions=3)
    table = follow(shop, broker, topic)
    broker.send(topic, [("k", b"\xff\x00"), (None, None)], 0, headers=[("source", b"till")])
    broker.send(topic, values(*"abcdefg"), 2)
    shop.run(KEY, today())
    assert held(shop) == [
        (0, 0, b"\xff\x00"),
        (0, 1, None),
        *[(2, i, c.encode()) for i, c in enumerate("abcdefg")],
    ]
    first = next(row for row in shop.rows(KEY) if row["value"] == b"\xff\x00")
    assert (first["key"], first["headers"]) == (b"k", [{"key": "source", "value": b"till"}])
    assert (first["topic"], len(first["topic_id"]) > 10, first["timestamp_type"]) == (topic, True, 0)
    assert state(shop) == ("SUCCESS", '{"0": 2, "1": 0, "2": 7}', 9)
    assert sources_with_news([table], shop.lake.root) == ({}, [])
    assert len(shop.files(KEY)) == 1

    versions = shop.versions([KEY])
    shop.run(KEY, today())
    shop.run(KEY, "2026-01-01")
    assert shop.versions([KEY]) == versions and state(shop)[0] == "NO_DATA"

    broker.grow(topic, 5)
    broker.send(topic, values("new", "last"), 4)
    broker.send(topic, values("h"), 2)
    assert list(sources_with_news([table], shop.lake.root)[0]) == [KEY]
    follow(shop, broker, topic, batch_messages=1)
    shop.run(KEY, today())
    assert held(shop)[-3:] == [(2, 7, b"h"), (4, 0, b"new"), (4, 1, b"last")] and len(held(shop)) == 12
    assert state(shop)[:2] == ("SUCCESS", '{"0": 2, "1": 0, "2": 8, "3": 0, "4": 2}')


def test_what_a_killed_run_left_behind_is_neither_lost_nor_taken_twice(
    shop: SampleLake, broker: Broker, monkeypatch: pytest.MonkeyPatch
):
    topic = broker.topic(partitions=2)
    follow(shop, broker, topic)
    broker.send(topic, values("a", "b"), 0)
    shop.run(KEY, today())

    def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    for place, name in ((watermarks, "record"), (batches, "record"), (type(shop.lake), "append")):
        broker.send(topic, values(name), 1)
        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(place, name, killed)
            shop.run(KEY, today())
        shop.run(KEY, today())
    everything = [(0, 0, b"a"), (0, 1, b"b"), (1, 0, b"record"), (1, 1, b"record"), (1, 2, b"append")]
    assert held(shop) == everything

    for limit in (500_000, 1):  # in one batch, and in several, after which bronze has messages
        follow(shop, broker, topic, batch_messages=limit)
        watermarks.record(shop.lake.root, KEY, watermarks.SUCCESS, None, 0, "reset")
        shop.run(KEY, today())
        assert held(shop) == everything


def test_only_what_transactions_committed_is_read(shop: SampleLake, broker: Broker):
    topic = broker.topic()
    follow(shop, broker, topic)
    broker.transaction(topic, values("aborted", "aborted too")).abort_transaction()
    broker.settle(topic)
    shop.run(KEY, today())
    assert held(shop) == [] and state(shop) == ("SUCCESS", '{"0": 3}', 0)
    broker.send(topic, values("first"))
    still_open = broker.transaction(topic, values("second"))
    shop.run(KEY, today())
    assert [value for *_, value in held(shop)] == [b"first"]
    still_open.commit_transaction()
    broker.settle(topic)
    shop.run(KEY, today())
    assert [value for *_, value in held(shop)] == [b"first", b"second"]
    broker.transaction(topic, values("aborted again")).abort_transaction()
    broker.settle(topic)
    shop.run(KEY, today())
    assert state(shop)[0::2] == ("SUCCESS", 0)  # no row and no batch, whatever the last commit wrote
    assert [entry.rows for entry in entries(shop.lake.root, LandedEntry, KEY)[today()].values()] == [1, 1]


def test_a_topic_that_was_never_read_is_read_from_its_beginning_or_from_a_time(
    shop: SampleLake, broker: Broker
):
    topic, noon = broker.topic(partitions=2), datetime(2026, 1, 5, 12, tzinfo=timezone.utc)
    for hours in range(3):
        broker.send(
            topic, values(f"{hours}"), timestamp=int((noon + timedelta(hours=hours)).timestamp() * 1000)
        )
    follow(shop, broker, topic, begin="2026-01-05T14:00+01:00")
    shop.run(KEY, today())
    assert [value for *_, value in held(shop)] == [b"1", b"2"]
    assert state(shop)[:2] == ("SUCCESS", '{"0": 3, "1": 0}')

    still_open = broker.topic()
    producer = broker.transaction(still_open, values("open"))
    table = follow(shop, broker, still_open, begin="2026-01-05")
    shop.tables = {KEY: replace(table, name="others")}
    shop.run(KEY, today())
    producer.commit_transaction()
    broker.settle(still_open)
    shop.run(KEY, today())
    assert [row["value"] for row in shop.rows("bronze/others")] == [b"open"]


def refused(shop: SampleLake, table: BronzeTable) -> str:
    """What both the sensor and a run say."""
    _, (note,) = sources_with_news([table], shop.lake.root)
    with pytest.raises(SourceError) as error:
        bronze.ingest_days(shop.lake, table, [today()])
    assert note == f"{table.key}: {error.value}"
    assert state(shop)[0] == "FAILED"
    return str(error.value)


def test_what_can_no_longer_be_read_is_named(
    shop: SampleLake, broker: Broker, monkeypatch: pytest.MonkeyPatch
):
    topic = broker.topic(partitions=2)
    table = follow(shop, broker, topic)
    broker.send(topic, values("a", "b"), 0)
    shop.run(KEY, today())
    broker.send(topic, values("lost", "lost", "kept"), 0)
    broker.forget(topic, before=4)
    message = refused(shop, table)
    assert "removed messages before they were read, partition 0: [2, 4)" in message
    assert 'reset_watermark with the watermark {"0": 4, "1": 0}' in message

    broker.remove(topic)
    assert "there is no such topic" in refused(shop, table)
    broker.topic(partitions=2, name=topic)
    broker.send(topic, values(*"abcdefgh"), 0)
    assert "was deleted and made anew" in refused(shop, table)
    assert len(held(shop)) == 2
    watermarks.record(shop.lake.root, KEY, watermarks.SUCCESS, None, 0, "reset")
    shop.run(KEY, today())
    assert len(held(shop)) == 10 and len({row["topic_id"] for row in shop.rows(KEY)}) == 2

    unset = replace(table, write=replace(table.write, servers="$SHOP_BROKERS"))
    assert "SHOP_BROKERS is not set" in refused(shop, unset)
    secret = replace(table, write=replace(table.write, settings="$SHOP_KAFKA"))
    monkeypatch.setenv("SHOP_KAFKA", '{"sasl.password": "canary", "sasl.mechanism": "MAGIC"}')
    message = refused(shop, secret)
    assert "'MAGIC'; write one of PLAIN" in message and "canary" not in message


def test_a_broker_that_is_down_is_named_and_its_messages_come_later(shop: SampleLake, broker: Broker):
    topic = broker.topic()
    table = follow(shop, broker, topic)
    broker.send(topic, values("before"))
    broker.kill()
    try:
        assert "no broker answers within 10 s" in refused(shop, table)
    finally:
        broker.start()
    shop.run(KEY, today())
    assert [value for *_, value in held(shop)] == [b"before"]


@dataclass
class Taken:
    """Takes what a stream reads."""

    values: list[bytes] = field(default_factory=list[bytes])

    def __call__(self, batch: MicroBatch) -> None:
        self.values += [row["value"] for row in batch.rows.collect()]


def test_a_user_with_a_password_is_let_in_and_no_log_has_it(
    shop: SampleLake, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
):
    with kafka_broker(password='canary"\\') as broker:
        topic = broker.topic()
        broker.send(topic, values("secret"))
        table = follow(shop, broker, topic, settings="$SHOP_KAFKA")
        assert isinstance(table.write, FollowTopic)
        monkeypatch.setenv("SHOP_KAFKA", json.dumps(as_shop("canary, a wrong one")))
        _, (note,) = sources_with_news([table], shop.lake.root)
        assert "correct user and password in SHOP_KAFKA" in note
        monkeypatch.setenv("SHOP_KAFKA", json.dumps(as_shop('canary"\\')))
        shop.run(KEY, today())
        assert [value for *_, value in held(shop)] == [b"secret"]
        with streamed(shop.spark, table.write, None, 0.1, take := Taken()) as query:
            until(lambda: take.values == [b"secret"], "the message by a stream")
            assert query.is_active and query.error is None
    assert "canary" not in "".join(capfd.readouterr()) + note
