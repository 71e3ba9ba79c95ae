"""One writer a table on a store, among processes that know nothing of each other; and a store that is too busy."""

import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from subprocess import PIPE

import pytest
from deltalake import DeltaTable

from medallion_assets.lakehouse.control import run_log
from medallion_assets.lakehouse.control.run_log import RunEntry
from medallion_assets.lakehouse.control.small_table import now
from medallion_assets.lakehouse.landing.listing import area_of, list_days, list_files
from medallion_assets.lakehouse.storage import leases, stores
from medallion_assets.lakehouse.storage.leases import LeaseLost, TableBusy
from medallion_assets.lakehouse.storage.locks import one_writer
from medallion_assets.local_servers.object_store import BUCKET, Store
from medallion_assets_tests.support.busy_store import busy_store

LAKE, KEY = f"s3://{BUCKET}/raced", "silver/orders"
APPENDS = 15
HOLDER = f"""
import time
from medallion_assets.lakehouse.storage.locks import one_writer

with one_writer("{LAKE}", "{KEY}"):
    print("held", flush=True)
    time.sleep(600)
"""
DRIVER = f"""
from medallion_assets.lakehouse.storage.lake import Lake
from medallion_assets.lakehouse.storage.locks import one_writer
from medallion_assets.orchestration.resources import SparkResource

lake = Lake(SparkResource().session(["{LAKE}"]), "{LAKE}", "")
for number in range({APPENDS}):
    with one_writer(lake.root, "{KEY}"):
        lake.append(lake.spark.range(1), "{KEY}", None)
"""

pytestmark = pytest.mark.long


def process(script: str) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", script], text=True, stdin=PIPE, stdout=PIPE)


def set_seconds(patch: pytest.MonkeyPatch, lease: float, renewed: float, wait: float) -> None:
    for name, value in {"LEASE_SECONDS": lease, "RENEWED_AFTER": renewed, "WAIT_SECONDS": wait}.items():
        patch.setattr(leases, name, value)


def test_a_lease_that_cannot_be_read_is_taken_over(store: Store, monkeypatch: pytest.MonkeyPatch):
    set_seconds(monkeypatch, lease=2, renewed=1, wait=10)
    stores.write(f"{LAKE}/_locks/silver.broken.json", b'{"holder": "proc')
    began = time.monotonic()
    with one_writer(LAKE, "silver/broken"):
        assert time.monotonic() - began >= 2


def test_what_writers_read_and_write_within_the_lease_is_not_lost(store: Store):
    counter = f"{LAKE}/counter"

    def count(_: int) -> None:
        for _ in range(5):
            with one_writer(LAKE, "control/counter"):
                found = stores.read_with_version(counter)
                stores.write(counter, str(int(found[0]) + 1 if found else 1).encode())

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(count, range(4)))
    found = stores.read_with_version(counter)
    assert found and found[0] == b"20"


def test_a_second_writer_is_refused_by_the_name_of_the_first_and_takes_over_once_that_is_killed(
    store: Store, monkeypatch: pytest.MonkeyPatch
):
    with process(HOLDER) as holder:
        assert holder.stdout and holder.stdout.readline() == "held\n"
        set_seconds(monkeypatch, lease=20, renewed=5, wait=1)
        refused = pytest.raises(
            TableBusy, match=rf"silver/orders is held by process {holder.pid} on .*, since 20"
        )
        with refused, one_writer(LAKE, KEY):
            raise AssertionError
        holder.kill()
    set_seconds(monkeypatch, lease=2, renewed=1, wait=10)
    began = time.monotonic()
    with one_writer(LAKE, KEY):
        assert time.monotonic() - began >= 2


def test_a_lease_that_is_renewed_is_kept_however_long_the_work_takes(
    store: Store, monkeypatch: pytest.MonkeyPatch
):
    set_seconds(monkeypatch, lease=1.5, renewed=0.3, wait=10)
    order: list[str] = []

    def second() -> None:
        with one_writer(LAKE, "silver/long"):
            order.append("second")

    with one_writer(LAKE, "silver/long"):
        other = threading.Thread(target=second)
        other.start()
        time.sleep(4)
        order.append("first")
    other.join()
    assert order == ["first", "second"]


def test_who_lost_the_lease_is_told(store: Store, monkeypatch: pytest.MonkeyPatch):
    """As after a pause of the machine: it is not renewed, and another one takes it."""
    set_seconds(monkeypatch, lease=0.5, renewed=60, wait=10)
    lost = pytest.raises(LeaseLost, match="make history")
    with lost, one_writer(LAKE, "silver/paused"), one_writer(LAKE, "silver/paused"):
        pass


def test_two_drivers_race_their_appends_and_nothing_is_lost(store: Store):
    drivers = [process(DRIVER) for _ in range(2)]
    assert [driver.wait() for driver in drivers] == [0, 0]
    table = DeltaTable(f"{LAKE}/{KEY}")
    assert (table.version() + 1, table.count()) == (2 * APPENDS, 2 * APPENDS)


def test_a_store_that_refuses_every_third_request_is_asked_again(store: Store):
    with busy_store(store.endpoint) as busy:
        area, landing = area_of(f"s3://{BUCKET}/busy"), f"s3://{BUCKET}/busy"
        for number in range(10):
            assert area.write(f"odd/date=2017-01-01/{number}.csv", b"id\n1\n")
        assert len(list_files(landing, "odd", list_days(landing, "odd"))) == 10
        for number in range(3):
            entry = RunEntry("silver/busy", "2017-01-01", f"run {number}", "OK", "1", now())
            run_log.append(LAKE, [entry])
        entries = run_log.since(LAKE, RunEntry, now() - timedelta(days=1))
    assert sorted(entry.run_id for entry in entries) == ["run 0", "run 1", "run 2"]
    assert busy.refused > 10
