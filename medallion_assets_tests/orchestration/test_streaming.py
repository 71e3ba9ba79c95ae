"""Topics followed as they grow, beside runs: each message once, in bronze, silver and gold, and told to Dagster."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import dagster as dg
import pytest

from medallion_assets.contracts.rules import not_null
from medallion_assets.definitions import repository
from medallion_assets.lakehouse.control import streams, watermarks
from medallion_assets.lakehouse.control.run_log import PipelineError, errors_of, since
from medallion_assets.lakehouse.control.small_table import now
from medallion_assets.lakehouse.maintenance.rollback import rollback
from medallion_assets.orchestration.streaming import topic_stream
from medallion_assets_tests.support.dagster_runner import DagsterRunner
from medallion_assets_tests.support.events import today
from medallion_assets_tests.support.kafka_broker import Broker
from medallion_assets_tests.support.streams import (
    BRONZE,
    GOLD,
    SILVER,
    amounts,
    event,
    running_stream,
    tables_of,
    until,
)


@pytest.mark.long
def test_a_stream_takes_each_message_once_whatever_runs_beside_it(desk: DagsterRunner, broker: Broker):
    shop, topic = desk.shop, broker.topic(partitions=2)
    tables = shop.tables = tables_of(topic, broker, batch_messages=4)
    sent: dict[str, str] = {}

    def send(*orders: str, partition: int = 0, amount: str = "1.00") -> None:
        broker.send(topic, [event(order, amount) for order in orders], partition)
        sent.update(dict.fromkeys(orders, amount))

    def all_taken() -> bool:
        return amounts(shop) == sent

    send("a", "b")
    shop.run(BRONZE, today())  # a run that ended before silver
    send(*[f"c{number}" for number in range(10)], partition=1)
    with running_stream(tables, desk.instance) as stream:
        until(all_taken, "what was there before")
        broker.send(topic, [(None, "no json"), ("a", None)])
        send("d")
        until(all_taken, "what comes after a message that cannot be read")
        (row,) = streams.streams(shop.lake.root)
        assert (row.status, row.tables) == ("running", [BRONZE, SILVER, GOLD])
        assert BRONZE in streams.kept_by_streams(shop.lake.root)

        for number in range(5):  # runs take some, too
            send(f"e{number}")
            shop.run(BRONZE, today())
            shop.run(SILVER, today())
        broker.grow(topic, 3)
        send("f", partition=2)
        until(all_taken, "what runs took, and a new partition")

        rollback(shop.lake, tables[BRONZE], shop.table(BRONZE).version() - 3)
        send("g")
        until(lambda: all_taken() and len(shop.rows(BRONZE)) == len(sent) + 2, "what a rollback took away")
        until(lambda: sold(shop.rows(GOLD)) == [len(sent)], "gold")
    assert stream.code == 0
    (row,) = streams.streams(shop.lake.root)
    assert (row.status, row.lag_messages, row.error) == ("stopped", 0, "")
    (poison,) = shop.rows("quarantine/order_events")
    assert (poison["_corrupt_record"], poison["_partition"], poison["_offset"]) == ("no json", 0, 2)
    places = [(found["partition"], found["offset"]) for found in shop.rows(BRONZE)]
    assert len(places) == len({*places}) == len(sent) + 2
    assert all_taken() and sold(shop.rows(GOLD)) == [len(sent)]

    for key in (BRONZE, SILVER, GOLD):
        asset = dg.AssetKey(key.split("/"))
        records = desk.instance.fetch_materializations(asset, limit=100).records
        told = records[0].asset_materialization
        assert told and told.partition == (today() if key != GOLD else "2026-01-05")
        names = ("tick_seconds", "lag_messages", "oldest_untaken_seconds") if key != GOLD else ("seconds",)
        assert all(isinstance(told.metadata[name].value, float | int) for name in names)
        assert len(records) <= 4  # told at its beginning and end, and when a verdict changed
    kept = desk.instance.event_log_storage.get_asset_check_execution_history(
        dg.AssetCheckKey(dg.AssetKey(["silver", "order_events"]), "row_conservation"), limit=10
    )
    assert [one.status.value for one in kept] == ["SUCCEEDED"]


def sold(rows: list[Any]) -> list[int]:
    return [row["order_count"] for row in rows]


def test_what_breaks_is_tried_again_and_a_newer_contract_ends_the_stream(
    desk: DagsterRunner, broker: Broker, monkeypatch: pytest.MonkeyPatch
):
    shop, topic = desk.shop, broker.topic()
    tables = shop.tables = tables_of(topic, broker)
    monkeypatch.setattr(topic_stream, "LONGEST_WAIT", 1.0)
    broken: list[str] = []

    def breaks_once(place: Any, name: str) -> None:
        works: Callable[..., Any] = getattr(place, name)

        def broken_at_first(*given: Any, **named: Any) -> Any:
            if given[1:2] != (SILVER,) and name not in broken:
                broken.append(name)
                raise OSError(f"{name} is broken")
            return works(*given, **named)

        monkeypatch.setattr(place, name, broken_at_first)

    with running_stream(tables, desk.instance) as stream:
        broker.send(topic, [event("a")])
        until(lambda: "a" in amounts(shop), "the first message")
        for number, (place, name) in enumerate(
            ((watermarks, "record"), (topic_stream.silver, "refresh_days"), (type(shop.lake), "append"))
        ):
            breaks_once(place, name)
            broker.send(topic, [event(f"b{number}")])
            until(lambda: f"b{number}" in amounts(shop) and name in broken, f"after {name} was broken")  # noqa: B023
        broker.kill()
        broker.start()
        broker.send(topic, [event("c")])
        until(lambda: "c" in amounts(shop), "after the broker was gone")
        assert len(shop.rows(BRONZE)) == 5
        errors = since(shop.lake.root, PipelineError, now() - timedelta(hours=1))
        assert errors[0].message == "record is broken"
        assert {error.pipeline for error in errors} == {"stream"}
        assert errors_of(shop.lake.root, errors[0].run_id) == errors[:1]

        broker.remove(topic)
        broker.topic(name=topic)
        broker.send(topic, [event(f"n{number}") for number in range(9)])
        until(lambda: "made anew" in streams.streams(shop.lake.root)[0].error, "the refusal of another topic")
        assert len(shop.rows(BRONZE)) == 5
        watermarks.record(shop.lake.root, BRONZE, watermarks.SUCCESS, None, 0, "reset")
        until(lambda: "n8" in amounts(shop), "what the new topic has")

        newer = replace(tables[SILVER], rules=(*tables[SILVER].rules, not_null("order_status")))
        shop.tables = tables | {SILVER: newer}
        shop.run(SILVER, today())
        versions = shop.versions([SILVER])
        broker.send(topic, [event("d")])
        until(lambda: stream.code is not None, "the end")
    assert stream.code == 75
    assert shop.versions([SILVER]) == versions and len(shop.rows(BRONZE)) == 15


def test_sensors_leave_the_tables_of_a_stream_alone_until_it_is_silent(desk: DagsterRunner, broker: Broker):
    shop, topic, at = desk.shop, broker.topic(), now()
    tables = shop.tables = tables_of(topic, broker)
    sensors = DagsterRunner(shop, desk.instance, repository(tables))
    broker.send(topic, [event("a")])
    shop.run(BRONZE, today())
    shop.run(SILVER, today())
    broker.send(topic, [event("b")])
    row = streams.Stream(BRONZE, [BRONZE, SILVER, GOLD], "here", 1, "stream-1", streams.RUNNING, at, at)
    streams.record(shop.lake.root, [row])
    assert "process 1 on here follows it" in str(sensors.tick("watermarks").skip_reason)
    assert "process 1 on here keeps it up to date" in str(sensors.tick("stale_gold").skip_reason)
    streams.record(shop.lake.root, [replace(row, heartbeat_at=at - timedelta(seconds=40))])
    assert [asked(sensors, name) for name in ("watermarks", "stale_gold")] == [{BRONZE, SILVER, GOLD}, {GOLD}]


def asked(sensors: DagsterRunner, name: str) -> set[str]:
    (request,) = sensors.ask(name)
    return {key.to_user_string() for key in request.asset_selection or ()}
