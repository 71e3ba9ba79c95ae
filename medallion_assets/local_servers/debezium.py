"""Debezium's connector for PostgreSQL in a Kafka Connect of its own: it sends what a database commits to topics.

`python -m medallion_assets.local_servers.debezium` fetches the jars; else the first start does.
"""

import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

from medallion_assets.lakehouse.spark.java import java_home
from medallion_assets.local_servers import kafka
from medallion_assets.local_servers.java_program import SMALL, fetched_jars, java, properties
from medallion_assets.local_servers.kafka import Broker
from medallion_assets.local_servers.local_process import LocalProcess, free_port, running
from medallion_assets.local_servers.postgres import Database
from medallion_assets.local_servers.schema_registry import Registry

VERSION = "3.7.0.Final"
PACKAGES = (
    f"io.debezium:debezium-connector-postgres:{VERSION}",
    f"org.apache.kafka:connect-runtime:{kafka.VERSION}",
    f"org.apache.kafka:connect-json:{kafka.VERSION}",
    "org.apache.logging.log4j:log4j-slf4j2-impl:2.25.4",
    "io.apicurio:apicurio-registry-utils-converter:2.6.13.Final",
)
PUBLICATION = "changes"
"""Of PostgreSQL: the tables whose changes are sent. It is there before Debezium comes."""


@contextmanager
def debezium(
    database: Database, broker: Broker, prefix: str, registry: Registry | None = None
) -> Iterator[LocalProcess]:
    """Sends each table of the publication to the topic `prefix.schema.table`, until the context is left.

    registry: of the schemas of messages in Avro; without one messages are JSON. JarsError, JavaError, ServerError.
    """
    with tempfile.TemporaryDirectory(prefix="debezium-") as name:
        folder, port = Path(name), free_port()
        files = {
            "worker": worker(broker, folder, port) | converters(registry),
            "connector": connector(database, prefix),
        }
        for file, settings in files.items():
            (folder / file).write_text(properties(settings))
        main = ["org.apache.kafka.connect.cli.ConnectStandalone", *(str(folder / file) for file in files)]
        command = [*java(jars(), *SMALL), *main]
        status = f"http://127.0.0.1:{port}/connectors/{prefix}/status"
        with running(LocalProcess("Debezium", command, folder, lambda: _is_running(status))) as process:
            yield process


def worker(broker: Broker, folder: Path, port: int) -> dict[str, str]:
    """Settings of Kafka Connect."""
    return {
        "bootstrap.servers": broker.servers,
        "listeners": f"http://127.0.0.1:{port}",
        "offset.storage.file.filename": str(folder / "offsets"),
        "offset.flush.interval.ms": "1000",
        "plugin.discovery": "service_load",  # the other ways read every class of every jar
    }


def converters(registry: Registry | None) -> dict[str, str]:
    """Settings of Kafka Connect: how keys and values become bytes; Avro as Confluent's serializers frame it."""
    settings = {"": "org.apache.kafka.connect.json.JsonConverter", ".schemas.enable": "false"}
    if registry:
        settings = {
            "": "io.apicurio.registry.utils.converter.AvroConverter",
            ".apicurio.registry.url": registry.own_url,
            ".apicurio.registry.auto-register": "true",
            ".apicurio.registry.as-confluent": "true",
            ".apicurio.registry.use-id": "contentId",
            ".apicurio.registry.headers.enabled": "false",
        }
    return {f"{part}.converter{name}": value for part in ("key", "value") for name, value in settings.items()}


def connector(database: Database, prefix: str) -> dict[str, str]:
    """Settings of Debezium: numbers as their digits, times with a zone as ISO 8601, and every kind of change."""
    return {
        "name": prefix,
        "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
        "database.hostname": database.host,
        "database.port": str(database.port),
        "database.user": database.user,
        "database.password": database.password,
        "database.dbname": database.name,
        "topic.prefix": prefix,
        "plugin.name": "pgoutput",
        "slot.name": prefix,
        "publication.name": PUBLICATION,
        "publication.autocreate.mode": "disabled",
        "decimal.handling.mode": "string",
        "time.precision.mode": "connect",
        "tombstones.on.delete": "true",
        "skipped.operations": "none",
    }


def _is_running(status: str) -> bool:
    try:
        with urlopen(status, timeout=2) as answer:
            return all_run(json.load(answer))
    except (URLError, TimeoutError, ConnectionError):
        return False


def all_run(status: Mapping[str, Any]) -> bool:
    """Whether Kafka Connect says so of the connector and of its one task."""
    states = [status["connector"]["state"], *(task["state"] for task in status["tasks"])]
    return states == ["RUNNING", "RUNNING"]


def jars() -> Path:
    """The folder with the jars of Kafka Connect and Debezium, fetched if they are not there. JarsError."""
    return fetched_jars(PACKAGES)


if __name__ == "__main__":
    os.environ["JAVA_HOME"] = java_home()
    print(f"Jars of Kafka Connect and Debezium: {len(list(jars().iterdir()))} in {jars()}")
