"""A real Kafka broker to which tests do what the world does: transactions, retention, growth, a crash."""

import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, cast

from confluent_kafka import IsolationLevel, Producer, TopicPartition
from confluent_kafka.admin import OffsetSpec  # pyright: ignore[reportPrivateImportUsage]
from confluent_kafka.cimpl import NewPartitions

from medallion_assets.local_servers import kafka
from medallion_assets.local_servers.kafka import LARGEST_MESSAGE, WAIT_SECONDS

Message = tuple[bytes | str | None, bytes | str | None]
"""Key and value."""


class Broker(kafka.Broker):
    """A broker that anything may be done to."""

    def remove(self, topic: str) -> None:
        admin = self.admin
        admin.delete_topics([topic])[topic].result(WAIT_SECONDS)

    def grow(self, topic: str, partitions: int) -> None:
        admin = self.admin
        admin.create_partitions([NewPartitions(topic, partitions)])[topic].result(WAIT_SECONDS)

    def forget(self, topic: str, before: int, partition: int = 0) -> None:
        """Removes the messages before this offset, as retention does."""
        admin, place = self.admin, TopicPartition(topic, partition, before)
        admin.delete_records([place])[TopicPartition(topic, partition)].result(WAIT_SECONDS)

    def send(self, topic: str, messages: Sequence[Message], partition: int = 0, **given: Any) -> None:
        """Sends messages in their order, and waits until all are there."""
        producer = Producer(
            self.client_settings | {"enable.idempotence": True, "message.max.bytes": LARGEST_MESSAGE}
        )
        for key, value in messages:
            producer.produce(topic, key=key, value=value, partition=partition, **given)
            producer.poll(0)
        assert producer.flush(WAIT_SECONDS) == 0

    def transaction(self, topic: str, messages: Sequence[Message], partition: int = 0) -> Producer:
        """Sends messages in a transaction that is open still; the caller commits or aborts it."""
        producer = Producer(self.client_settings | {"transactional.id": uuid.uuid4().hex})
        producer.init_transactions(WAIT_SECONDS)
        producer.begin_transaction()
        for key, value in messages:
            producer.produce(topic, key=key, value=value, partition=partition)
        producer.flush(WAIT_SECONDS)
        return producer

    def settle(self, topic: str) -> None:
        """Waits until the broker has marked the end of the transactions of partition 0."""
        admin, place = self.admin, TopicPartition(topic, 0)

        def end(level: IsolationLevel) -> int:
            asked = {place: cast(OffsetSpec, OffsetSpec.latest())}
            return admin.list_offsets(asked, isolation_level=level)[place].result().offset

        while end(IsolationLevel.READ_COMMITTED) < end(IsolationLevel.READ_UNCOMMITTED):
            time.sleep(0.05)

    def kill(self) -> None:
        self.process.kill()

    def start(self) -> None:
        """After `kill`: on the same port, with the same topics."""
        self.process.start(WAIT_SECONDS)


@contextmanager
def kafka_broker(password: str = "") -> Iterator[Broker]:
    """Runs until the context is left; with a password it is that of the user `shop`."""
    with kafka.kafka_broker(password) as running:
        yield Broker(running.port, running.process, running.settings)
