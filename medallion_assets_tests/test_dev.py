"""`make dev`, untouched: files that land and rows that change in a database reach gold, on exactly the right days."""

import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from deltalake import DeltaTable

from medallion_assets_tests.postgres_server import Database, database  # noqa: F401
from medallion_assets_tests.test_browser import REPOSITORY, end_group
from medallion_assets_tests.workshop import as_csv, order

pytestmark = [pytest.mark.long, pytest.mark.timeout(1500)]

ONE, TWO, THREE = "2026-01-01", "2026-01-02", "2026-01-03"
PATIENCE = 420
"""Seconds from a change to gold: two ticks, the queue, a Spark session and a day's steps, on two slow cores."""


class Lakehouse:
    """A landing area and a lake that a running `make dev` looks after."""

    def __init__(self, root: Path, base: Database, server: subprocess.Popen, log: Path):
        self.root, self.base, self.server, self.log = root, base, server, log

    def land(self, source: str, day: str, name: str, rows: list[dict[str, Any]]) -> None:
        folder = self.root / "landing" / source / f"date={day}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(as_csv(rows))

    def table(self, key: str) -> DeltaTable | None:
        path = str(self.root / "lake" / key)
        return DeltaTable(path) if DeltaTable.is_deltatable(path) else None

    def totals(self, key: str) -> dict[str, str]:
        """Event day -> total_sales."""
        table, found = self.table(key), {}
        for row in table.to_pyarrow_table().to_pylist() if table else []:
            found[str(row["order_date"])] = str(row["total_sales"])
        return found

    def runs(self) -> Sequence[dg.DagsterRun]:
        with dg.DagsterInstance.from_config(str(self.root / "home")) as instance:
            return instance.get_runs()

    def files(self, key: str, day: str) -> set[str]:
        table = self.table(key)
        return {uri for uri in table.file_uris() if f"order_date={day}" in uri} if table else set()

    def waits_for(self, what: Callable[[], Any], wanted: Any) -> None:
        deadline = time.monotonic() + PATIENCE
        while (found := what()) != wanted:
            assert self.server.poll() is None, f"make dev ended:\n{self.log.read_text()[-3000:]}"
            if time.monotonic() > deadline:
                pytest.fail(f"waited for {wanted}, found {found}:\n{self.log.read_text()[-6000:]}")
            time.sleep(1)


@pytest.fixture
def lakehouse(tmp_path: Path, database: Database) -> Iterator[Lakehouse]:  # noqa: F811
    base = database.new("web_shop")
    base.execute(
        "CREATE TABLE web_orders (order_id text PRIMARY KEY, order_date date, order_amount numeric, "
        "updated_at timestamptz)"
    )
    for source in ("orders", "customers", "products"):
        (tmp_path / "landing" / source).mkdir(parents=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    places = {
        "MEDALLION_LANDING": str(tmp_path / "landing"),
        "MEDALLION_LAKEHOUSE": str(tmp_path / "lake"),
        "MEDALLION_WEB_SHOP": base.url,
    }
    log = tmp_path / "dev.log"
    with log.open("wb") as out:
        server = subprocess.Popen(
            ["make", "dev", "EXAMPLES=1", f"PORT={port}", f"DAGSTER_HOME={tmp_path / 'home'}"],
            cwd=REPOSITORY,
            env=os.environ | places,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield Lakehouse(tmp_path, base, server, log)
    finally:
        end_group(server)


def test_gold_follows_files_and_a_database_with_nothing_clicked(lakehouse: Lakehouse):
    lakehouse.land("orders", ONE, "a.csv", [order("o1", day=ONE), order("o2", day=TWO)])
    lakehouse.land("orders", TWO, "a.csv", [order("o3", day=THREE)])
    lakehouse.base.execute(
        f"INSERT INTO web_orders VALUES ('w1', '{ONE}', 10, now() - interval '1 hour'),"
        f" ('w2', '{TWO}', 20, now() - interval '1 hour')"
    )
    lakehouse.waits_for(
        lambda: lakehouse.totals("gold/daily_sales"), {ONE: "10.00", TWO: "10.00", THREE: "10.00"}
    )
    lakehouse.waits_for(lambda: lakehouse.totals("gold/daily_web_orders"), {ONE: "10.00", TWO: "20.00"})

    kept = lakehouse.files("gold/daily_sales", ONE)
    web_kept = lakehouse.files("gold/daily_web_orders", ONE)
    change = order("o2", day=THREE, amount="15", at="2026-01-03T00:00:00Z")  # the event day moves
    lakehouse.land("orders", THREE, "changes.csv", [change])
    lakehouse.base.execute(
        "UPDATE web_orders SET order_amount = 25, updated_at = now() WHERE order_id = 'w2'"
    )
    lakehouse.waits_for(lambda: lakehouse.totals("gold/daily_sales"), {ONE: "10.00", THREE: "25.00"})
    lakehouse.waits_for(lambda: lakehouse.totals("gold/daily_web_orders"), {ONE: "10.00", TWO: "25.00"})
    assert lakehouse.files("gold/daily_sales", ONE) == kept
    assert lakehouse.files("gold/daily_web_orders", ONE) == web_kept

    # Other tables may follow in the same run.
    lakehouse.waits_for(lambda: {run.status for run in lakehouse.runs()}, {dg.DagsterRunStatus.SUCCESS})
    runs = lakehouse.runs()
    asked = [run for run in runs if "dagster/sensor_name" in run.tags]
    assert len(asked) == len(runs)
    days = {run.tags.get("dagster/partition", "") for run in asked}
    assert str(date.today()) in days and THREE in days
