"""`make stream` as a process: what it refuses, that it ends when asked to, and that it can be killed at any moment."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from deltalake import DeltaTable

from medallion_assets_tests.support.kafka_broker import Broker
from medallion_assets_tests.support.streams import BRONZE, SILVER, event, until

COMMAND = [sys.executable, "-m", "medallion_assets.commands.stream"]
TOPIC = "order_events"
"""The example table names it."""


@pytest.mark.parametrize(
    "arguments, message",
    [
        ((), "TABLES: the tables that follow a topic are none: declare one, see docs/streaming.md"),
        (
            ("--examples", "--tables", "orders"),
            "bronze/orders: the tables that follow a topic are bronze/order_events",
        ),
        (("--every", "soon"), "'soon': write a duration such as 500ms, 10s or 1m"),
    ],
)
def test_what_cannot_be_followed_is_refused(tmp_path: Path, arguments: tuple[str, ...], message: str):
    done = subprocess.run(
        [*COMMAND, *arguments], env=_environment(tmp_path, "x:1"), capture_output=True, text=True
    )
    assert done.returncode == 2 and message in done.stderr and "Traceback" not in done.stderr


@pytest.mark.long
def test_a_process_that_is_killed_at_any_moment_loses_and_doubles_nothing(tmp_path: Path, broker: Broker):
    broker.topic(2, TOPIC)
    chance, sent = random.Random(11), set[str]()

    def send(how_many: int) -> None:
        for partition in (0, 1):
            orders = [f"o{len(sent) + number}" for number in range(how_many)]
            broker.send(TOPIC, [event(order) for order in orders], partition)
            sent.update(orders)

    for _ in range(6):
        with _stream(tmp_path, broker) as process:
            begun = len(_column(tmp_path, BRONZE, "offset"))
            until(lambda: len(_column(tmp_path, BRONZE, "offset")) > begun or not sent, "its first batch")  # noqa: B023
            deadline = time.monotonic() + chance.uniform(0, 8)
            while time.monotonic() < deadline:
                send(3)
                time.sleep(0.3)
            process.send_signal(signal.SIGKILL)
            process.wait()
        send(5)
    with _stream(tmp_path, broker) as process:
        send(5)
        until(lambda: {*_column(tmp_path, SILVER, "order_id")} == sent, "all of it in silver")
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    places = [*zip(_column(tmp_path, BRONZE, "partition"), _column(tmp_path, BRONZE, "offset"), strict=True)]
    assert len(places) == len({*places}) == len(sent)
    assert len(_column(tmp_path, SILVER, "order_id")) == len(sent)
    assert _column(tmp_path, "control/streams", "status") == ["stopped"]


def _environment(folder: Path, servers: str) -> dict[str, str]:
    (folder / "landing").mkdir(exist_ok=True)
    (folder / "home").mkdir(exist_ok=True)
    (folder / "home" / "dagster.yaml").touch()
    return os.environ | {
        "MEDALLION_LAKEHOUSE": str(folder / "lake"),
        "MEDALLION_LANDING": str(folder / "landing"),
        "MEDALLION_KAFKA": servers,
        "DAGSTER_HOME": str(folder / "home"),
    }


@contextmanager
def _stream(folder: Path, broker: Broker) -> Iterator[subprocess.Popen[bytes]]:
    with (folder / "log").open("ab") as log:
        command = [*COMMAND, "--examples", "--every", "500ms", "--gold-every", "5s"]
        process = subprocess.Popen(command, env=_environment(folder, broker.servers), stdout=log, stderr=log)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def _column(folder: Path, key: str, column: str) -> list[object]:
    path = folder / "lake" / key
    if not DeltaTable.is_deltatable(str(path)):
        return []
    return DeltaTable(str(path)).to_pyarrow_table(columns=[column])[column].to_pylist()
