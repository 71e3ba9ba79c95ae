"""`make dev`, untouched: files that land and rows that change in a database reach gold, on exactly the right days.

Also when the process of a run is killed: somebody is told, the tables are free again, and the next run does it all.
"""

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from deltalake import DeltaTable

from medallion_assets.lakehouse.storage.locks import one_writer
from medallion_assets.local_servers.local_process import free_port
from medallion_assets_tests.support import slack_server
from medallion_assets_tests.support.dagster_ui import REPOSITORY, end_group
from medallion_assets_tests.support.postgres_server import Database
from medallion_assets_tests.support.sample_lake import as_csv, order
from medallion_assets_tests.support.slack_server import SlackServer

pytestmark = [pytest.mark.long, pytest.mark.timeout(1500)]

ONE, TWO, THREE = "2026-01-01", "2026-01-02", "2026-01-03"
PATIENCE = 420
"""Seconds from a change to gold: two ticks, the queue, a Spark session and a day's steps, on two slow cores."""


class Lakehouse:
    """A landing area and a lake that a running `make dev` looks after."""

    def __init__(self, root: Path, base: Database, server: subprocess.Popen, log: Path, channel: SlackServer):
        self.root, self.base, self.server, self.log, self.channel = root, base, server, log, channel

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

    def end_process_of(self, run: dg.DagsterRun) -> None:
        """As the kernel ends a process when memory is short."""
        with dg.DagsterInstance.from_config(str(self.root / "home")) as instance:
            said = [entry.user_message or entry.message for entry in instance.all_logs(run.run_id)]
        (pid,) = {
            int(found[1])
            for text in said
            if (found := re.search(r"Executing steps in process \(pid: (\d+)", text))
        }
        os.kill(pid, signal.SIGKILL)

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
def channel() -> Iterator[SlackServer]:
    with slack_server.running() as server:
        yield server


@pytest.fixture
def lakehouse(
    tmp_path: Path,
    database: Database,
    channel: SlackServer,
) -> Iterator[Lakehouse]:
    base = database.new("web_shop")
    base.execute(
        "CREATE TABLE web_orders (order_id text PRIMARY KEY, order_date date, order_amount numeric, "
        "updated_at timestamptz)"
    )
    for source in ("orders", "customers", "products"):
        (tmp_path / "landing" / source).mkdir(parents=True)
    port = free_port()
    places = {
        "MEDALLION_LANDING": str(tmp_path / "landing"),
        "MEDALLION_LAKEHOUSE": str(tmp_path / "lake"),
        "MEDALLION_WEB_SHOP": base.url,
        "MEDALLION_ALERT_WEBHOOK": channel.webhook,
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
        yield Lakehouse(tmp_path, base, server, log, channel)
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


def test_a_run_whose_process_is_killed_is_told_and_done_again(lakehouse: Lakehouse):
    lakehouse.land("orders", ONE, "a.csv", [order("o1", day=ONE), order("o2", day=ONE)])
    lakehouse.waits_for(lambda: lakehouse.table("bronze/orders") is not None, True)
    (run,) = [one for one in lakehouse.runs() if one.tags["dagster/sensor_name"] == "landed_files"]

    def noted() -> list[tuple]:
        errors = lakehouse.table("control/pipeline_errors")
        rows = errors.to_pyarrow_table().to_pylist() if errors else []
        return [(row["run_id"], row["day"], row["error_class"]) for row in rows]

    # What is right again before the sensor looks is not told: the run that does it again waits here until it was.
    with one_writer(str(lakehouse.root / "lake"), "gold/daily_sales"):
        lakehouse.end_process_of(run)
        lakehouse.waits_for(noted, [(run.run_id, ONE, "dagster.RunFailure")])
        lakehouse.waits_for(
            lambda: [m["run_id"] for m in lakehouse.channel.hooked if m["run_id"]], [run.run_id]
        )
    lakehouse.waits_for(lambda: lakehouse.totals("gold/daily_sales"), {ONE: "20.00"})
    found = dg.DagsterRunStatus
    lakehouse.waits_for(lambda: {r.status for r in lakehouse.runs()}, {found.FAILURE, found.SUCCESS})
    (failed,) = [one for one in lakehouse.runs() if one.status is found.FAILURE]
    assert failed.run_id == run.run_id
