"""Dagster's real SQLite, whose commits are seen from another connection."""

import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from medallion_assets.orchestration.event_log import AT_ONCE, stored_at_once

KEY = dg.AssetKey("visits")


class Index:
    """The database of assets and checks, as another process sees it."""

    def __init__(self, home: Path):
        self.connection = sqlite3.connect(home / "history" / "runs" / "index.db")

    def events(self) -> int:
        return self.connection.execute("SELECT count(*) FROM event_logs").fetchone()[0]


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.local_temp(str(tmp_path)) as made:
        yield made


def materialize(instance: dg.DagsterInstance, number: int) -> None:
    instance.report_runless_asset_event(dg.AssetMaterialization(KEY, partition=f"d{number}"))


def test_what_is_stored_of_200_events_is_one_commit(instance: dg.DagsterInstance, tmp_path: Path):
    materialize(instance, 0)
    index = Index(tmp_path)
    seen = []
    for number in stored_at_once(instance, range(AT_ONCE + 1)):
        seen.append(index.events())
        materialize(instance, number % 30)
    assert seen == [1] * AT_ONCE + [AT_ONCE + 1]
    assert index.events() == AT_ONCE + 2
    assert len(instance.get_materialized_partitions(KEY)) == 30


def test_an_error_keeps_what_was_stored_before_it(instance: dg.DagsterInstance, tmp_path: Path):
    with pytest.raises(ValueError, match="stop"):
        for number in stored_at_once(instance, range(9)):
            materialize(instance, number)
            if number == 4:
                raise ValueError("stop")
    assert Index(tmp_path).events() == 5
    materialize(instance, 7)
    assert instance.get_materialized_partitions(KEY) == {"d0", "d1", "d2", "d3", "d4", "d7"}


def test_a_burst_within_another_joins_it_and_another_thread_waits_for_it(
    instance: dg.DagsterInstance, tmp_path: Path
):
    materialize(instance, 0)
    other = threading.Thread(target=materialize, args=(instance, 9))
    for number in stored_at_once(instance, (1, 2)):
        for within in stored_at_once(instance, (10, 20)):
            materialize(instance, number + within)
        if number == 1:
            other.start()
    other.join()
    assert instance.get_materialized_partitions(KEY) == {"d0", "d9", "d11", "d12", "d21", "d22"}


def test_a_storage_without_files_is_left_as_it_is():
    with dg.DagsterInstance.ephemeral() as instance:
        for number in stored_at_once(instance, range(3)):
            materialize(instance, number)
        assert len(instance.get_materialized_partitions(KEY)) == 3
