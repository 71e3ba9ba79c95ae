"""Random changes in a topic, cut into runs and batches anyhow, against the last change of each key in plain Python."""

from pathlib import Path
from random import Random
from typing import Any

import pytest

from medallion_assets.contracts.column import Column
from medallion_assets.contracts.payloads import Json
from medallion_assets_tests.support.events import event, follow, live, take
from medallion_assets_tests.support.kafka_broker import Broker, Message
from medallion_assets_tests.support.sample_lake import SampleLake


@pytest.mark.long
def test_however_a_topic_is_cut_into_runs_silver_is_the_last_change_of_each_key(
    shop: SampleLake, broker: Broker, tmp_path: Path
):
    topic, dice = broker.topic(partitions=2), Random(7)
    at_once = SampleLake(shop.spark, tmp_path / "at_once")
    at = Column("at", "timestamp")
    last: dict[int, tuple[Any, ...]] = {}
    for run in range(3):
        follow(shop, broker, topic, Json(), at, batch_messages=9)
        changes: list[tuple[int, Message]] = []
        for number in range(25):
            id, time = dice.randrange(12), f"2026-01-0{dice.randrange(1, 4)}T00:00:00Z"
            name, deleted = f"{run}-{dice.randrange(1000)}", dice.random() < 0.2
            changes.append((id, event(id, name, at=time, op="D" if deleted else "U")))
            change = (time, run * 25 + number, None if deleted else (name, "1.00"))
            last[id] = max(last.get(id, change), change)
        for partition in (0, 1):  # all changes of a key are in one
            mine = [message for id, message in changes if id % 2 == partition]
            broker.send(topic, mine, partition)
        take(shop)
    follow(at_once, broker, topic, Json(), at)
    take(at_once)
    assert live(shop) == live(at_once) == {id: row for id, (*_, row) in last.items() if row is not None}
    assert shop.rows("silver/events", "id", "_sequence") == at_once.rows("silver/events", "id", "_sequence")
