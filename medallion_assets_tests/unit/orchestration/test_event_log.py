"""Dagster's real SQLite, whose commits are seen from another connection."""

import shutil
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import dagster as dg
import pytest

from medallion_assets.orchestration.event_log import AT_ONCE, stored_at_once

KEY = dg.AssetKey("visits")
DAYS = dg.StaticPartitionsDefinition([f"d{number}" for number in range(30)])
CHECK = dg.AssetCheckKey(KEY, "whole")


@dg.multi_asset(
    specs=[dg.AssetSpec(KEY, partitions_def=DAYS)],
    check_specs=[dg.AssetCheckSpec(CHECK.name, asset=KEY, partitions_def=DAYS)],
    backfill_policy=dg.BackfillPolicy.single_run(),
)
def visits():
    yield dg.MaterializeResult(KEY, check_results=[dg.AssetCheckResult(passed=True)])


JOB = dg.Definitions([visits], jobs=[dg.define_asset_job("load", selection="*")]).resolve_job_def("load")
RANGE = {"dagster/asset_partition_range_start": "d0", "dagster/asset_partition_range_end": "d29"}


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


def test_a_new_run_begins_with_one_commit_in_the_files_that_dagster_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("DAGSTER_EVENT_BATCH_SIZE", "0")
    with dg.DagsterInstance.local_temp(str(tmp_path)) as plain:
        before = JOB.execute_in_process(instance=plain, tags=RANGE).run_id
        assert commits_of_a_new_run(plain, Index(tmp_path)) == 31
    shutil.copy(Path(__file__).parents[3] / "dagster.yaml", tmp_path)
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    monkeypatch.setenv("DAGSTER_EVENT_BATCH_SIZE", "1000")
    with dg.DagsterInstance.get() as batching:
        assert batching.get_run_by_id(before)
        assert batching.get_materialized_partitions(KEY) == set(DAYS.get_partition_keys())
        assert commits_of_a_new_run(batching, Index(tmp_path)) == 1
        assert JOB.execute_in_process(instance=batching, tags=RANGE).success
        (last,) = batching.event_log_storage.get_asset_check_execution_history(CHECK, limit=1)
        assert last.status.value == "SUCCEEDED"


def commits_of_a_new_run(instance: dg.DagsterInstance, index: Index) -> int:
    """As many as there are numbers of events to be seen when Dagster tells its listeners of each."""
    run_id, seen = str(uuid4()), []
    instance.add_event_listener(run_id, lambda _: seen.append(index.events()))
    instance.create_run_for_job(JOB, run_id=run_id, tags=RANGE)
    assert len(seen) == len(instance.all_logs(run_id)) == 31
    return len(set(seen))
