"""A stream in a thread of this process, the tables that it keeps, and what was sent to its topic."""

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import dagster as dg

from medallion_assets.contracts.bronze import FollowTopic
from medallion_assets.orchestration.streaming.process import follow_topics, topics_of
from medallion_assets.tables.examples.bronze import order_events as bronze_events
from medallion_assets.tables.examples.gold import daily_order_events as gold_events
from medallion_assets.tables.examples.silver import order_events as silver_events
from medallion_assets_tests.support.kafka_broker import Broker, Message
from medallion_assets_tests.support.sample_lake import SampleLake

BRONZE, SILVER, GOLD = "bronze/order_events", "silver/order_events", "gold/daily_order_events"
PATIENCE = 60.0


def tables_of(topic: str, broker: Broker, **given: Any) -> dict[str, Any]:
    """The example tables, following this topic."""
    bronze = replace(bronze_events.TABLE, write=FollowTopic(topic, broker.servers, **given))
    silver = replace(silver_events.TABLE, inputs=(bronze,))
    return {BRONZE: bronze, SILVER: silver, GOLD: replace(gold_events.TABLE, inputs=(silver,))}


def event(order_id: str, amount: str = "1.00", at: str = "2026-01-05T10:00:00Z", **fields: Any) -> Message:
    told = {"order_id": order_id, "order_date": "2026-01-05", "order_amount": amount, "updated_at": at}
    return order_id, json.dumps(told | {"order_status": "NEW"} | fields)


def amounts(shop: SampleLake) -> dict[str, str]:
    """Live orders in silver."""
    rows = [row for row in shop.rows(SILVER) if row["_deleted_at"] is None]
    return {row["order_id"]: str(row["order_amount"]) for row in rows}


@dataclass
class Running:
    """code: its exit code, once it has ended."""

    stop: threading.Event = field(default_factory=threading.Event)
    code: int | None = None


@contextmanager
def running_stream(tables: Mapping[str, Any], instance: dg.DagsterInstance) -> Iterator[Running]:
    """Follows all topics of the tables; ended when the context is left."""
    running = Running()

    def follow() -> None:
        topics = topics_of(tables).values()
        running.code = follow_topics(tables, list(topics), instance, running.stop, every=0.2, gold_every=1)

    thread = threading.Thread(target=follow)
    thread.start()
    try:
        yield running
    finally:
        running.stop.set()
        thread.join(PATIENCE)
        assert not thread.is_alive()


def until(is_so: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < deadline, f"not within {PATIENCE:.0f} s: {what}"
        time.sleep(0.2)
