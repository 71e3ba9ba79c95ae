"""How long a message is on its way to bronze, silver and gold: `make stream` as a process, and a steady trickle."""

import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
from confluent_kafka import Producer
from deltalake import DeltaTable

from benchmarks import ROOT
from benchmarks.messages import PARTITIONS, send
from medallion_assets.commands.text_table import table
from medallion_assets.local_servers.kafka import Broker
from medallion_assets.tables.examples.bronze import order_events as bronze_events
from medallion_assets.tables.examples.gold import daily_order_events as gold_events
from medallion_assets.tables.examples.silver import order_events as silver_events

TOPIC = "order_events"
LOOK_SECONDS = 0.1
PATIENCE = 180.0


@dataclass(frozen=True)
class Trickle:
    """A steady number of messages a second.

    seconds: how long; every, gold_every: EVERY and GOLD_EVERY of the stream
    """

    rate: int
    seconds: int
    every: str
    gold_every: str


@dataclass
class _Watched:
    """How many messages a table holds, and since when.

    count: of a version of the table; seen: each moment when there were more than before
    """

    path: Path
    count: Callable[[DeltaTable], int]
    seen: list[tuple[float, int]] = field(default_factory=list)
    version: int = -1

    def look(self) -> None:
        if DeltaTable.is_deltatable(str(self.path)):
            now = DeltaTable(str(self.path))
            if now.version() != self.version:
                self.version = now.version()
                self.seen.append((time.time(), self.count(now)))

    @property
    def holds(self) -> int:
        return self.seen[-1][1] if self.seen else 0

    def seconds(self, sent: Mapping[int, float]) -> list[float]:
        """From when each message was sent until the table had it. The table takes them in their order."""
        found, looks = list[float](), iter(self.seen)
        at, held = next(looks)
        for number, when in sorted(sent.items()):
            while held <= number:
                at, held = next(looks)
            found.append(at - when)
        return found


def _rows(version: DeltaTable) -> int:
    return sum(pa.table(version.get_add_actions(flatten=True))["num_records"].to_pylist())


def _orders(version: DeltaTable) -> int:
    return sum(version.to_pyarrow_table(columns=["order_count"])["order_count"].to_pylist())


def seconds_on_the_way(broker: Broker, folder: Path, asked: Trickle) -> str:
    """A table with the quantiles of each table of the lake."""
    broker.topic(PARTITIONS, TOPIC)
    lake = folder / "lake"
    watched = {
        key: _Watched(lake / key, count)
        for key, count in (
            (bronze_events.TABLE.key, _rows),
            (silver_events.TABLE.key, _rows),
            (gold_events.TABLE.key, _orders),
        )
    }
    with _stream(broker, folder, asked), _looking(watched):
        sent = _trickle(broker, watched, asked.rate, asked.seconds)
    rows = [(key, *_quantiles(one.seconds(sent))) for key, one in watched.items()]
    title = f"Seconds from a message to its table, {asked.rate} a second for {asked.seconds} s, "
    title += f"EVERY={asked.every} GOLD_EVERY={asked.gold_every}:"
    return f"{title}\n" + table(("table", "median", "p95", "most"), rows)


def _quantiles(seconds: list[float]) -> tuple[str, ...]:
    ordered = sorted(seconds)
    return tuple(
        f"{one:.1f}" for one in (statistics.median(ordered), ordered[int(len(ordered) * 0.95)], ordered[-1])
    )


def _trickle(broker: Broker, watched: Mapping[str, _Watched], rate: int, seconds: int) -> dict[int, float]:
    """Number -> when it was sent; the first message warms up, and is not among them."""
    producer = Producer(broker.client_settings)
    send(producer, TOPIC, 0)
    producer.flush()
    _until(lambda: all(one.holds for one in watched.values()))
    began, sent = time.time(), dict[int, float]()
    for number in range(1, rate * seconds + 1):
        time.sleep(max(0.0, began + number / rate - time.time()))
        sent[number] = time.time()
        send(producer, TOPIC, number)
        producer.flush()
    _until(lambda: all(one.holds > len(sent) for one in watched.values()))
    return sent


def _until(is_done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not is_done():
        if time.monotonic() > deadline:
            raise TimeoutError(f"the stream did not bring the messages to all tables within {PATIENCE:.0f} s")
        time.sleep(LOOK_SECONDS)


@contextmanager
def _stream(broker: Broker, folder: Path, asked: Trickle) -> Iterator[None]:
    home = folder / "home"
    home.mkdir()
    (home / "dagster.yaml").write_text((ROOT / "dagster.yaml").read_text())
    (folder / "landing").mkdir()
    places = {"LAKEHOUSE": folder / "lake", "LANDING": folder / "landing", "KAFKA": broker.servers}
    environment = os.environ | {f"MEDALLION_{name}": str(value) for name, value in places.items()}
    command = [sys.executable, "-m", "medallion_assets.commands.stream", "--examples"]
    command += ["--every", asked.every, "--gold-every", asked.gold_every]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            command, env=environment | {"DAGSTER_HOME": str(home)}, stdout=log, stderr=log
        )
        try:
            yield
        finally:
            process.terminate()
            process.wait(PATIENCE)


@contextmanager
def _looking(watched: Mapping[str, _Watched]) -> Iterator[None]:
    done = threading.Event()

    def look() -> None:
        while not done.wait(LOOK_SECONDS):
            for one in watched.values():
                one.look()

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
