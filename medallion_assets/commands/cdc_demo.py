"""Change data capture on one machine: PostgreSQL, Debezium, Kafka, and the stream with Spark and Dagster.

Each transaction is followed from its commit to silver and gold, which are compared with the database row by row.
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
from pathlib import Path
from types import FrameType

import dagster as dg
import pyspark

from medallion_assets.commands import cdc_demo_data as data
from medallion_assets.commands.cdc_demo_lake import BRONZE, GOLD, SILVER, DemoError, DemoLake
from medallion_assets.errors import MedallionError
from medallion_assets.local_servers import debezium, kafka
from medallion_assets.local_servers.local_process import ENDING, LocalProcess, running
from medallion_assets.local_servers.postgres import Database, postgres_server

PATIENCE = 120.0
"""Seconds that a commit may take to silver, and then to gold."""
STREAM = (
    *("-m", "medallion_assets.commands.stream", "--cdc-examples", "--tables", BRONZE.name),
    *("--every", "500ms", "--gold-every", "1s"),
)


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


def demonstrate(started: ExitStack) -> int:
    """The exit code. DemoError, ServerError, JarsError, JavaError.

    started: what is to be ended at last, in reverse
    """
    lake = DemoLake(Path(started.enter_context(tempfile.TemporaryDirectory(prefix="cdc-demo-"))))
    print("Starts on 127.0.0.1, each with a folder of its own that is removed at the end:")
    database, processes = _start(started, lake)
    print(f"\nSeconds from the commit in PostgreSQL until {SILVER.key} and {GOLD.key} hold it:")
    _follow("500 rows from before", lake, database, processes)
    for title, statements in data.TRANSACTIONS.items():
        database.execute(statements)  # commits them as one
        _follow(title, lake, database, processes)
    processes[-1].stop()
    return _result(lake, database)


def _start(started: ExitStack, lake: DemoLake) -> tuple[Database, list[LocalProcess]]:
    """The database with its first rows, and what brings them to gold, the stream as the last."""
    with _timed("PostgreSQL"):
        server = postgres_server(secrets.token_urlsafe(), wal_level="logical")
        database = started.enter_context(server)
        database.execute(data.CREATE + data.BEFORE)
    with _timed(f"Kafka {kafka.VERSION}"):
        broker = started.enter_context(kafka.kafka_broker())
        broker.topic(3, data.TOPIC)
    with _timed(f"Debezium {debezium.VERSION}"):
        capture = started.enter_context(debezium.debezium(database, broker, data.PREFIX))
    with _timed(f"make stream: Spark {pyspark.__version__}, Dagster {dg.__version__}"):
        stream = started.enter_context(running(_stream(lake, broker.servers), PATIENCE))
    return database, [broker.process, capture, stream]


def _stream(lake: DemoLake, servers: str) -> LocalProcess:
    """Ready with its first sign of life."""
    folder = lake.folder / "stream"
    folder.mkdir()
    environment = os.environ | {"MEDALLION_KAFKA": servers}
    return LocalProcess("The stream", [sys.executable, *STREAM], folder, lake.has_stream, env=environment)


def _follow(title: str, lake: DemoLake, database: Database, processes: list[LocalProcess]) -> None:
    """Waits until silver and then gold are what the database has; prints when they were. DemoError, ServerError."""
    committed = time.monotonic()
    expected = {SILVER.key: data.in_silver(database), GOLD.key: data.in_gold(database)}
    print(f"  {title:<20}", end="", flush=True)
    for key, rows in expected.items():
        _wait(lake, key, rows, processes)
        print(f"  {key.split('/')[0]} {time.monotonic() - committed:5.1f} s", end="", flush=True)
    print()


def _wait(lake: DemoLake, key: str, expected: data.Rows, processes: list[LocalProcess]) -> None:
    deadline = time.monotonic() + PATIENCE
    while lack := data.difference(lake.held(key), expected):
        for process in processes:
            process.check()
        if time.monotonic() > deadline:
            logs = "\n".join(f"The log of {one.name} ends:\n{one.last_lines()}" for one in processes)
            raise DemoError(f"{key} is not what the database holds after {PATIENCE:.0f} s: {lack}.\n{logs}")
        time.sleep(0.1)


def _result(lake: DemoLake, database: Database) -> int:
    """Compares once more, with nothing at work any more, and asks Dagster. DemoError."""
    orders, days = data.in_silver(database), data.in_gold(database)
    for key, expected in ((SILVER.key, orders), (GOLD.key, days)):
        if lack := data.difference(lake.held(key), expected):
            raise DemoError(f"{key} is not what the database holds in the end: {lack}.")
    print(
        f"\n{SILVER.key} has the {len(orders)} rows of the table, {GOLD.key} the sums of its {len(days)} days."
    )
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
