"""A real Kafka broker for the tests: its jars, a data folder and ports of its own.

`python -m medallion_assets_tests.support.kafka_broker` fetches the jars; else the first test does.
"""

import os
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from signal import SIGKILL, SIGTERM
from typing import Any, cast

import pyspark
from confluent_kafka import IsolationLevel, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # pyright: ignore[reportPrivateImportUsage]
from confluent_kafka.cimpl import NewPartitions, NewTopic

from medallion_assets.lakehouse.spark.jars import fetch
from medallion_assets.lakehouse.spark.java import java_home
from medallion_assets_tests.support.ports import free_port

PACKAGES = ("org.apache.kafka:kafka_2.13:4.3.1", "org.apache.logging.log4j:log4j-slf4j-impl:2.25.4")
WAIT_SECONDS = 60
LARGEST_MESSAGE = 20_000_000

Message = tuple[bytes | str | None, bytes | str | None]
"""Key and value."""


@dataclass
class Broker:
    """A broker that anything may be done to, and the process that it is."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes]
    command: Sequence[str]
    settings: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @property
    def servers(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def client_settings(self) -> dict[str, Any]:
        return {"bootstrap.servers": self.servers, "log_level": 0, **self.settings}

    @property
    def admin(self) -> AdminClient:
        """To be kept until its answers are there."""
        return AdminClient(self.client_settings)

    def topic(self, partitions: int = 1, name: str = "", **config: str) -> str:
        """Makes a topic; returns its name."""
        name = name or f"orders-{uuid.uuid4().hex[:8]}"
        settings = {key.replace("_", "."): value for key, value in config.items()}
        admin = self.admin
        admin.create_topics([NewTopic(name, partitions, 1, config=settings)])[name].result(WAIT_SECONDS)
        return name

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
        self.process.send_signal(SIGKILL)
        self.process.wait()

    def start(self) -> None:
        """After `kill`: on the same port, with the same topics."""
        self.process = _started(self.folder, self.command)
        _wait(self)


@contextmanager
def temporary_broker() -> Iterator[Broker]:
    with tempfile.TemporaryDirectory(prefix="kafka-") as folder, kafka_broker(Path(folder)) as running:
        yield running


@contextmanager
def kafka_broker(folder: Path, password: str = "") -> Iterator[Broker]:
    """Runs until the context is left: one node, which is broker and controller.

    password: of the user `shop`, by SASL; without one nobody is asked for any
    """
    port, controller = free_port(), free_port()
    protocol = "SASL_PLAINTEXT" if password else "PLAINTEXT"
    config = folder / "server.properties"
    lines = {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.voters": f"1@127.0.0.1:{controller}",
        "controller.listener.names": "CONTROLLER",
        "listeners": f"{protocol}://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}",
        "log.dirs": str(folder / "logs"),
        "auto.create.topics.enable": "false",
        "offsets.topic.replication.factor": "1",
        "offsets.topic.num.partitions": "1",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "transaction.state.log.num.partitions": "1",
        "broker.session.timeout.ms": "2000",
        "broker.heartbeat.interval.ms": "500",
        "message.max.bytes": str(LARGEST_MESSAGE),
        "log.retention.ms": "-1",  # messages of long ago stay
        **(_sasl(password) if password else {}),
    }
    config.write_text("".join(f"{name}={value}\n" for name, value in lines.items()))
    java = [f"{java_home()}/bin/java", "-cp", f"{jars()}/*:{_scala()}"]
    subprocess.run(
        [*java, "kafka.tools.StorageTool", "format", "-t", "MkU3OEVBNTcwNTJENDM2Qg", "-c", str(config)],
        check=True,
        capture_output=True,
    )
    java[1:1] = ["-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
    command = [*java, "kafka.Kafka", str(config)]
    broker = Broker(folder, port, _started(folder, command), command, as_shop(password) if password else {})
    try:
        _wait(broker)
        yield broker
    finally:
        broker.process.send_signal(SIGTERM)
        try:
            broker.process.wait(WAIT_SECONDS)
        except subprocess.TimeoutExpired:
            broker.kill()


def as_shop(password: str) -> dict[str, str]:
    """What a client needs to be the user `shop`, in librdkafka's names."""
    return {
        "security.protocol": "SASL_PLAINTEXT",
        "sasl.mechanism": "PLAIN",
        "sasl.username": "shop",
        "sasl.password": password,
    }


def _sasl(password: str) -> dict[str, str]:
    login = "org.apache.kafka.common.security.plain.PlainLoginModule required"
    for mark in ("\\", '"'):  # as JAAS wants it
        password = password.replace(mark, f"\\{mark}")
    users = f'{login} username="shop" password="{password}" user_shop="{password}";'
    return {
        "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT",
        "inter.broker.listener.name": "SASL_PLAINTEXT",
        "sasl.mechanism.inter.broker.protocol": "PLAIN",
        "sasl.enabled.mechanisms": "PLAIN",
        "listener.name.sasl_plaintext.plain.sasl.jaas.config": users.replace(
            "\\", "\\\\"
        ),  # a file of properties
    }


def jars() -> Path:
    """The folder with the broker's jars, fetched if they are not there."""
    name = "+".join(package.split(":", 1)[1].replace(":", "-") for package in PACKAGES)
    folder = Path.home() / ".cache" / "medallion_assets" / name
    fetch(PACKAGES, ("*.jar",), folder)
    return folder


def _scala() -> str:
    """The library that spark-submit does not fetch, since it comes with Spark."""
    return str(next((Path(pyspark.__file__).parent / "jars").glob("scala-library-*.jar")))


def _started(folder: Path, command: Sequence[str]) -> subprocess.Popen[bytes]:
    with (folder / "log").open("ab") as log:
        return subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)


def _wait(broker: Broker) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            broker.admin.list_topics(timeout=2)
            return
        except KafkaException as error:
            if broker.process.poll() is not None or time.monotonic() > deadline:
                log = (broker.folder / "log").read_text()[-3000:]
                raise AssertionError(f"The broker did not start ({error}): {log}") from None


if __name__ == "__main__":
    os.environ["JAVA_HOME"] = java_home()
    print(f"Jars of a Kafka broker: {len(list(jars().iterdir()))} in {jars()}")
