"""Change data capture on one machine: PostgreSQL, Debezium, Kafka, and the stream with Spark and Dagster.

Each transaction is followed from its commit to silver and gold, which are compared with the database row by row: first
with messages in JSON, then from the beginning with messages in Avro, whose schemas are in a registry.
Exit codes: 0 all agreed; 1 something did not, or could not be started; 130 Ctrl-C, 143 SIGTERM, 129 a closed terminal.
All that was started is ended in each case.
"""

import os
import secrets
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import dagster as dg
import pyspark

from medallion_assets.commands import cdc_demo_data as data
from medallion_assets.commands.cdc_demo_lake import ENCODINGS, DemoError, DemoLake, Encoding
from medallion_assets.errors import MedallionError
from medallion_assets.local_servers import debezium, kafka, schema_registry
from medallion_assets.local_servers.local_process import ENDING, LocalProcess, running
from medallion_assets.local_servers.postgres import Database, postgres_server

PATIENCE = 120.0
"""Seconds that a commit may take to silver, and then to gold."""
STREAM = (
    *("-m", "medallion_assets.commands.stream", "--cdc-examples"),
    *("--tables", ",".join(one.bronze.name for one in ENCODINGS)),
    *("--every", "500ms", "--gold-every", "1s"),
)

_KINDS = {"silver": "rows of the table", "gold": "days of the table, with their sums"}


def main() -> int:
    for one in ENDING:
        if signal.getsignal(one) != signal.SIG_IGN or one != signal.SIGHUP:  # `nohup` has it ignored
            signal.signal(one, _leave)
    try:
        with ExitStack() as started:
            return demonstrate(started)
    except MedallionError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    finally:
        print("All processes of the demo have ended.", flush=True)


def _leave(number: int, frame: FrameType | None) -> None:
    """By way of everything that is to be ended, which a second signal does not cut short."""
    for one in ENDING:
        signal.signal(one, signal.SIG_IGN)
    print("\nStopping ...", flush=True)
    sys.exit(128 + number)


@dataclass(frozen=True)
class _Servers:
    """What is at work all the time, Debezium aside."""

    database: Database
    broker: kafka.Broker
    registry: schema_registry.Registry
    stream: LocalProcess


def demonstrate(started: ExitStack) -> int:
    """The exit code. DemoError, ServerError, JarsError, JavaError.

    started: what is to be ended at last, in reverse
    """
    lake = DemoLake(Path(started.enter_context(tempfile.TemporaryDirectory(prefix="cdc-demo-"))))
    print("Starts on 127.0.0.1, each with a folder of its own that is removed at the end:")
    servers = _start(started, lake)
    expected: dict[str, data.Rows] = {}
    for encoding in ENCODINGS:
        expected |= _capture(encoding, lake, servers)
    servers.stream.stop()
    return _result(lake, expected)


def _start(started: ExitStack, lake: DemoLake) -> _Servers:
    with _timed("PostgreSQL"):
        database = started.enter_context(postgres_server(secrets.token_urlsafe(), wal_level="logical"))
    with _timed(f"Kafka {kafka.VERSION}"):
        broker = started.enter_context(kafka.kafka_broker())
        for encoding in ENCODINGS:
            broker.topic(3, encoding.topic)
    with _timed(f"Apicurio Registry {schema_registry.VERSION}"):
        registry = started.enter_context(schema_registry.schema_registry())
    with _timed(f"make stream: Spark {pyspark.__version__}, Dagster {dg.__version__}"):
        stream = _stream(lake, broker, registry)
        started.enter_context(running(stream, PATIENCE))
    return _Servers(database, broker, registry, stream)


def _stream(lake: DemoLake, broker: kafka.Broker, registry: schema_registry.Registry) -> LocalProcess:
    """Ready with its first sign of life."""
    folder = lake.folder / "stream"
    folder.mkdir()
    environment = os.environ | {
        "MEDALLION_KAFKA": broker.servers,
        "MEDALLION_SCHEMA_REGISTRY": registry.url,
    }
    return LocalProcess("The stream", [sys.executable, *STREAM], folder, lake.has_stream, env=environment)


def _capture(encoding: Encoding, lake: DemoLake, servers: _Servers) -> dict[str, data.Rows]:
    """Makes the table anew and follows each of its transactions; returns what silver and gold hold at last.

    DemoError, ServerError, JarsError.
    """
    database, registry = servers.database, servers.registry if encoding.has_schemas else None
    database.execute(data.CREATE + data.BEFORE)
    with ExitStack() as started:
        with _timed(f"Debezium {debezium.VERSION}, messages in {encoding.name}"):
            changes = debezium.debezium(database, servers.broker, encoding.prefix, registry)
            capture = started.enter_context(changes)
        processes = [servers.broker.process, servers.registry.process, servers.stream, capture]
        print(
            f"\nSeconds from the commit in PostgreSQL until {encoding.silver.key} and {encoding.gold.key} hold it:"
        )
        expected = _follow("500 rows from before", encoding, lake, database, processes)
        for title, statements in data.TRANSACTIONS.items():
            database.execute(statements)  # commits them as one
            expected = _follow(title, encoding, lake, database, processes)
    print()
    return expected


def _follow(
    title: str, encoding: Encoding, lake: DemoLake, database: Database, processes: list[LocalProcess]
) -> dict[str, data.Rows]:
    """Waits until silver and then gold are what the database has, and returns that; prints when they were.

    DemoError, ServerError.
    """
    committed = time.monotonic()
    expected = {
        encoding.silver.key: data.in_silver(database),
        encoding.gold.key: data.in_gold(database),
    }
    print(f"  {title:<20}", end="", flush=True)
    for key, rows in expected.items():
        _wait(lake, key, rows, processes)
        print(f"  {key.split('/')[0]} {time.monotonic() - committed:5.1f} s", end="", flush=True)
    print()
    return expected


def _wait(lake: DemoLake, key: str, expected: data.Rows, processes: list[LocalProcess]) -> None:
    deadline = time.monotonic() + PATIENCE
    while lack := data.difference(lake.held(key), expected):
        for process in processes:
            process.check()
        if time.monotonic() > deadline:
            logs = "\n".join(f"The log of {one.name} ends:\n{one.last_lines()}" for one in processes)
            raise DemoError(f"{key} is not what the database holds after {PATIENCE:.0f} s: {lack}.\n{logs}")
        time.sleep(0.1)


def _result(lake: DemoLake, expected: dict[str, data.Rows]) -> int:
    """Compares once more, with nothing at work any more, and asks Dagster. DemoError."""
    for key, rows in expected.items():
        if lack := data.difference(lake.held(key), rows):
            raise DemoError(f"{key} is not what the database holds in the end: {lack}.")
        print(f"{key} has the {len(rows)} {_KINDS[key.split('/')[0]]}.")
    verdicts = lake.verdicts()
    print(f"Dagster has the results of {len(verdicts)} checks: {sum(verdicts)} passed.")
    return 0 if verdicts and all(verdicts) else 1


@contextmanager
def _timed(name: str) -> Iterator[None]:
    """Prints how long it took."""
    print(f"  {name:<42}", end="", flush=True)
    began = time.monotonic()
    yield
    print(f" {time.monotonic() - began:5.1f} s", flush=True)


if __name__ == "__main__":
    sys.exit(main())
