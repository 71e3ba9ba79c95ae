"""What a run needs before it begins: each lack is found, named with its place, and said how to mend."""

import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from medallion_assets.contracts.gold import GoldTable
from medallion_assets.contracts.gold_policies import Extract
from medallion_assets.contracts.table import Table
from medallion_assets.lakehouse.monitoring import preflight
from medallion_assets.lakehouse.monitoring.preflight import (
    PreCheckError,
    before_run,
    free_disk,
    lake_writable,
    raise_problems,
)
from medallion_assets.lakehouse.spark.master import Master
from medallion_assets.local_servers.local_process import free_port
from medallion_assets_tests.support.full_disk import mounted
from medallion_assets_tests.support.sample_lake import TABLES

ORDERS = TABLES["bronze/orders"]
LOCAL = Master({})
FROM_FILES = GoldTable(name="from_files", description="", write=Extract(validated_by=TABLES["silver/orders"]))


@pytest.fixture
def landing(tmp_path: Path) -> Path:
    (tmp_path / "landing" / "orders").mkdir(parents=True)
    return tmp_path / "landing"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    with mounted(tmp_path / "disk", 20) as disk:
        yield disk


@contextmanager
def listening() -> Iterator[int]:
    """A port of this machine that takes connections."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def refusal(root: Path, landing: Path, table: Table = ORDERS) -> str:
    with pytest.raises(PreCheckError) as refused:
        before_run(str(root), str(landing), table, LOCAL)
    return str(refused.value)


def test_where_nothing_lacks_a_run_may_begin_and_nothing_is_left_behind(tmp_path: Path, landing: Path):
    for table in (ORDERS, FROM_FILES, TABLES["silver/orders"]):
        before_run(str(tmp_path / "not" / "yet"), str(landing), table, LOCAL)
    assert list((tmp_path / "not" / "yet" / "_locks").iterdir()) == []


def test_a_source_that_is_not_there_is_named_for_all_that_read_its_files(tmp_path: Path, landing: Path):
    (landing / "orders").rmdir()
    for table in (ORDERS, FROM_FILES):
        told = refusal(tmp_path / "lake", landing, table)
        assert told.startswith(f"source of {table.key}, {landing}/orders: ")
        assert "mount or create it, or correct MEDALLION_LANDING" in told
    (landing / "orders").write_text("a file in the folder's place")
    assert "mount or create it" in refusal(tmp_path / "lake", landing)
    assert "mount or create it" in refusal(tmp_path / "lake", tmp_path / "unmounted")
    # Silver reads bronze, wherever its files came from.
    before_run(str(tmp_path / "lake"), str(landing), TABLES["silver/orders"], LOCAL)


def test_a_lake_that_cannot_be_written_is_told_beside_all_else(tmp_path: Path):
    (tmp_path / "lake").write_text("a file in the folder's place")
    for root in (tmp_path / "lake", tmp_path / "lake" / "below"):
        lake, source = refusal(root, tmp_path / "unmounted").splitlines()
        assert lake.startswith(f"lake, {root}: cannot be written (") and "set MEDALLION_LAKEHOUSE" in lake
        assert source.startswith("source of bronze/orders, ")


def test_a_disk_with_too_little_room_holds_a_run_back(
    small_disk: Path, landing: Path, monkeypatch: pytest.MonkeyPatch
):
    told = refusal(small_disk / "lake", landing)
    assert told.startswith(
        f"free disk, 20 MB free at {small_disk}/lake: 200 MB are needed: free some space, or set"
    )
    monkeypatch.setenv("MEDALLION_MIN_FREE_MB", "20")
    before_run(str(small_disk / "lake"), str(landing), ORDERS, LOCAL)
    (small_disk / "filling").write_bytes(bytes(2**20))
    assert "19 MB free" in refusal(small_disk / "lake", landing)
    monkeypatch.setenv("MEDALLION_MIN_FREE_MB", "0")
    before_run(str(small_disk / "lake"), str(landing), ORDERS, LOCAL)
    (small_disk / "full").write_bytes(bytes(shutil.disk_usage(small_disk).free))
    assert "cannot be written (No space left on device)" in lake_writable(str(small_disk / "lake")).problem


@pytest.mark.parametrize("url", ["yarn", "k8s://https://127.0.0.1:6443", "spark://192.0.2.1:7077"])
def test_folders_of_this_machine_are_refused_where_executors_run_elsewhere(
    url: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(preflight, "_CONNECT_SECONDS", 0.1)

    def told() -> dict[str, str]:
        found = preflight.spark(Master({"spark.master": url}), "/data/lake", "s3://bucket/landing")
        return {one.what: one.problem for one in found if one.what != "Spark"}

    assert told().keys() == {"lake of the executors", "landing of the executors"}
    assert "use an object store" in told()["lake of the executors"] and not told()["landing of the executors"]
    monkeypatch.setenv("MEDALLION_SHARED_FOLDERS", "on")
    assert not any(told().values())


def test_a_master_that_does_not_answer_is_told_before_a_session_starts(tmp_path: Path, landing: Path):
    with listening() as port:
        url = f"spark://127.0.0.1:{free_port()},127.0.0.1:{port}"
        before_run(str(tmp_path / "lake"), str(landing), ORDERS, Master({"spark.master": url}))
    with pytest.raises(PreCheckError, match="nobody answers there: start it, or correct MEDALLION_SPARK"):
        before_run(str(tmp_path / "lake"), str(landing), ORDERS, Master({"spark.master": url}))


@pytest.mark.parametrize("text", ["plenty", "-1", "1.5"])
def test_a_limit_that_is_no_number_of_megabytes_is_refused(
    text: str, tmp_path: Path, landing: Path, monkeypatch
):
    monkeypatch.setenv("MEDALLION_MIN_FREE_MB", text)
    assert f"MEDALLION_MIN_FREE_MB is '{text}': set it to whole megabytes" in refusal(
        tmp_path / "lake", landing
    )


def test_java_and_jars_are_asked_for_only_where_the_session_is_ours(
    tmp_path: Path, landing: Path, monkeypatch: pytest.MonkeyPatch
):
    jars = tmp_path / "jars"
    monkeypatch.setenv("MEDALLION_JARS", str(jars))
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "no-java"))
    with listening() as port:
        connect = Master({"spark.remote": f"sc://127.0.0.1:{port}"})
        before_run(str(tmp_path / "lake"), str(landing), ORDERS, connect)
    with pytest.raises(
        PreCheckError, match=r"Java, JAVA_HOME=.*/no-java: .* install Java 17, 21 or 25"
    ) as refused:
        before_run(str(tmp_path / "lake"), str(landing), ORDERS, LOCAL)
    assert len(str(refused.value).splitlines()) == 1  # no jar at all: the session fetches them
    jars.mkdir()
    assert preflight.jars().ok and "the first run fetches them" in preflight.jars().where
    (jars / "io.delta_delta-spark.jar").touch()
    with pytest.raises(
        PreCheckError, match=r"^jars, .*/jars: lacks org\.postgresql.*: copy the folder whole, or remove"
    ):
        raise_problems([preflight.jars()])


def test_an_object_store_has_no_disk_of_ours():
    assert free_disk("s3://bucket/lake", 2**60).ok
