"""A Kafka broker of its jars: one node, which is broker and controller, with a data folder and ports of its own.

`python -m medallion_assets.local_servers.kafka` fetches the jars; else the first start does.
"""

import os
import subprocess
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient  # pyright: ignore[reportPrivateImportUsage]
from confluent_kafka.cimpl import NewTopic

from medallion_assets.lakehouse.spark.java import java_home
from medallion_assets.local_servers.java_program import SMALL, fetched_jars, java, properties
from medallion_assets.local_servers.local_process import LocalProcess, ServerError, free_port, running

VERSION = "4.3.1"
PACKAGES = (f"org.apache.kafka:kafka_2.13:{VERSION}", "org.apache.logging.log4j:log4j-slf4j-impl:2.25.4")
WAIT_SECONDS = 60
LARGEST_MESSAGE = 20_000_000


@dataclass
class Broker:
    """A broker, and the process that it is.

    settings: what a client must know beside the address, in librdkafka's names
    """

    port: int
    process: LocalProcess
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


@contextmanager
def kafka_broker(password: str = "") -> Iterator[Broker]:
    """Runs until the context is left. JarsError, JavaError, ServerError.

    password: of the user `shop`, by SASL; without one nobody is asked for any
    """
    with tempfile.TemporaryDirectory(prefix="kafka-") as name:
        folder, port = Path(name), free_port()
        config, settings = folder / "server.properties", as_shop(password) if password else {}
        config.write_text(properties(_server_settings(folder, port, password)))
        _format(config)
        command = [*java(jars(), *SMALL), "kafka.Kafka", str(config)]
        admin = AdminClient({"bootstrap.servers": f"127.0.0.1:{port}", "log_level": 0, **settings})
        with running(LocalProcess("Kafka", command, folder, lambda: _answers(admin))) as process:
            yield Broker(port, process, settings)


def _server_settings(folder: Path, port: int, password: str) -> dict[str, str]:
    controller, protocol = free_port(), "SASL_PLAINTEXT" if password else "PLAINTEXT"
    return {
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


def _format(config: Path) -> None:
    tool = [*java(jars()), "kafka.tools.StorageTool", "format", "-t", "MkU3OEVBNTcwNTJENDM2Qg"]
    done = subprocess.run([*tool, "-c", str(config)], capture_output=True, text=True)
    if done.returncode:
        raise ServerError(f"Kafka's data folder could not be made: {done.stdout}{done.stderr}")


def _answers(admin: AdminClient) -> bool:
    try:
        admin.list_topics(timeout=2)
    except KafkaException:
        return False
    return True


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
        "listener.name.sasl_plaintext.plain.sasl.jaas.config": users,
    }


def jars() -> Path:
    """The folder with the broker's jars, fetched if they are not there. JarsError."""
    return fetched_jars(PACKAGES)


if __name__ == "__main__":
    os.environ["JAVA_HOME"] = java_home()
    print(f"Jars of a Kafka broker: {len(list(jars().iterdir()))} in {jars()}")
