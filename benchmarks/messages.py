"""The messages of the streaming benchmarks: new orders of one day, each with the next number as its key."""

import json
from typing import Any

from confluent_kafka import Producer

PARTITIONS = 3
DAY = "2026-01-05"


def send(producer: Producer, topic: str, number: int) -> None:
    """Sends the order of this number, without waiting."""
    producer.produce(topic, **_message(number))
    producer.poll(0)


def _message(number: int) -> dict[str, Any]:
    told = {
        "order_id": f"{number:09d}",
        "order_date": DAY,
        "order_amount": "12.50",
        "order_status": "SHIPPED",
        "updated_at": f"{DAY}T10:00:00Z",
    }
    return {"key": told["order_id"], "value": json.dumps(told), "partition": number % PARTITIONS}
