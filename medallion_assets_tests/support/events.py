"""A table of events that follows a topic, and what becomes of its messages in silver."""

import json
from datetime import datetime, timezone
from typing import Any

from medallion_assets.contracts.bronze import BronzeTable, FollowTopic
from medallion_assets.contracts.column import Column
from medallion_assets.contracts.merge_policies import Upsert
from medallion_assets.contracts.payloads import Payload
from medallion_assets.contracts.silver import SilverTable
from medallion_assets_tests.support.kafka_broker import Broker, Message
from medallion_assets_tests.support.sample_lake import SampleLake

COLUMNS = (Column("id", "bigint"), Column("name"), Column("amount", "decimal(10,2)"))


def today() -> str:
    return f"{datetime.now(timezone.utc):%Y-%m-%d}"


def follow(
    shop: SampleLake, broker: Broker, topic: str, payload: Payload, *order: Column, **given: Any
) -> None:
    events = BronzeTable(
        name="events", description="Events.", write=FollowTopic(topic, broker.servers, payload, **given)
    )
    silver = SilverTable(
        name="events",
        description="The latest state of each.",
        inputs=(events,),
        write=Upsert(keys=("id",), sequence_by=tuple(column.name for column in order)),
        columns=(*COLUMNS, *order),
    )
    shop.tables = {"bronze/events": events, "silver/events": silver}


def take(shop: SampleLake) -> Any:
    shop.run("bronze/events", today())
    return shop.run("silver/events", today()).get(today())


def live(shop: SampleLake) -> dict[int, tuple[Any, ...]]:
    rows = [row for row in shop.rows("silver/events") if row["_deleted_at"] is None]
    return {row["id"]: (row["name"], str(row["amount"])) for row in rows}


def poison(shop: SampleLake) -> dict[int, tuple[list[str], str | None]]:
    """Offset -> the rules that the message broke, and its text where it could not be read."""
    return {
        row["_offset"]: (row["_failed_rules"], row["_corrupt_record"])
        for row in shop.rows("quarantine/events")
    }


def event(id: Any, name: str, amount: Any = "1.00", **fields: Any) -> Message:
    return str(id), json.dumps({"id": id, "name": name, "amount": amount, **fields})
