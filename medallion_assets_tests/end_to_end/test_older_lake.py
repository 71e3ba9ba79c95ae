"""A lake that an older commit wrote (see `fixtures/README.md`) is read, merged on and restated without a full refresh.

It is compared with its twin: the lake that this commit makes of the same landing from nothing.
"""

import re
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake
from pyspark.sql import SparkSession

from medallion_assets.commands import doctor
from medallion_assets.definitions import repository
from medallion_assets.lakehouse import gold
from medallion_assets.orchestration.partitions import CALENDAR
from medallion_assets.tables import EXAMPLES, find_tables
from medallion_assets_tests.support.dagster_runner import DagsterRunner, checks
from medallion_assets_tests.support.sample_lake import STEPS, SampleLake, delete, order

FIXTURE = Path(__file__).parents[1] / "fixtures" / "lake_before_stages.tar.xz"
D5, D6, D7, D8, D9 = (f"2026-01-0{number}" for number in range(5, 10))
HELD = {"silver/orders": 9, "silver/customers": 2, "silver/products": 1}
"""Rows in quarantine of the repository's own tables."""
TABLES: dict[str, Any] = {
    key: table for key, table in find_tables(EXAMPLES).items() if "web_orders" not in key
}
FOLLOWED = ("bronze/prices", "silver/prices")
LANDED = [key for key, table in TABLES.items() if table.layer != "gold" and key not in FOLLOWED]
GOLD = [key for key, table in TABLES.items() if table.layer == "gold"]
SCORED = ("_data_quality_score",)
"""What stale days have by the rules of then, until they are replayed."""
PRICES = [("s1", "p1", "1.60"), ("s1", "p2", "2.20"), ("s3", "p3", "4.00")]


@pytest.fixture
def older(spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[DagsterRunner]:
    """The lake, and a Dagster that knows none of the runs that wrote it."""
    lake = sample_lake(spark, tmp_path)
    with tarfile.open(FIXTURE) as packed:
        packed.extractall(tmp_path, filter="data")
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    monkeypatch.setenv("MEDALLION_LAKEHOUSE", lake.lake.root)
    monkeypatch.setenv("MEDALLION_LANDING", lake.lake.landing)
    monkeypatch.setenv("MEDALLION_PRICES", str(tmp_path / "prices"))
    with dg.DagsterInstance.ephemeral() as instance:
        yield DagsterRunner(lake, instance, repository(TABLES))


def sample_lake(spark: SparkSession, root: Path) -> SampleLake:
    """With the calendar that runs have: the dates are a table of the lake."""
    lake = SampleLake(spark, root, TABLES)
    lake.lake = replace(lake.lake, calendar=tuple(CALENDAR.get_partition_keys()))
    return lake


def test_doctor_lists_the_stale_days_and_checks_say_what_they_said(
    older: DagsterRunner, capsys: pytest.CaptureFixture[str]
):
    lake = older.shop
    days, stale = silver_days(lake), stale_days(lake)
    assert all(stale[key] in (set(), days[key]) for key in days)
    assert doctors_figures(capsys) == {
        key: (held, len(stale[key]), len(days[key])) for key, held in HELD.items()
    }

    recorded, versions = last_verdicts(lake), lake.versions(TABLES)
    found = checks(older.run("all_checks", D5, D8))
    known = {name for _, _, name in recorded}  # checks that are newer than the lake are not compared
    now = {
        (asset, day, name): ok
        for (asset, name), told in found.items()
        for day, ok in told.items()
        if name in known
    }
    expected = recorded | {at: not stale[at[0]] for at in recorded if at[2] == "stale_days"}
    waiting = gold_of_an_older_contract(lake)  # of which nothing is said until it is computed again
    told = {at: passed for at, passed in expected.items() if at[0] not in waiting}
    assert {at: now.get(at) for at in told} == told
    assert lake.versions(TABLES) == versions


@pytest.mark.long  # two lakes through all tables four times
def test_it_is_merged_on_and_restated_and_replay_clears_the_stale_days(
    older: DagsterRunner, spark: SparkSession, capsys: pytest.CaptureFixture[str]
):
    lake = older.shop
    twin = sample_lake(spark, lake.root / "twin")
    twin.lake = replace(twin.lake, landing=lake.lake.landing)

    land_a_day_with_late_changes(lake)
    carry(lake, LANDED, D9)
    carry(twin, LANDED, D5, D6, D7, D8, D9)
    assert stored(lake, LANDED, *SCORED) == stored(twin, LANDED, *SCORED)

    change_files_of_older_days(lake)
    for one in (lake, twin):
        carry(one, ("bronze/orders", "silver/orders"), D5, D6)
    assert stored(lake, LANDED, *SCORED) == stored(twin, LANDED, *SCORED)

    change_the_followed_source(lake.root / "prices")
    for key in FOLLOWED:
        lake.run(key, f"{datetime.now(timezone.utc):%Y-%m-%d}")
    assert live_prices(lake) == PRICES

    for key in stale_days(lake):
        assert replay(older, key).success  # with the gold that is made of it
    assert not any(stale_days(lake).values())
    assert doctors_figures(capsys) == {
        "silver/customers": (2, 0, 5),
        "silver/orders": (7, 0, 5),
        "silver/products": (1, 0, 4),
    }
    assert live_prices(lake) == PRICES
    # Made of the landing and of the calendar, which has grown since: a replay leaves them.
    carry(lake, ("gold/category_sums", "gold/dim_date"), D5, D6, D9)
    carry(twin, GOLD, D5, D6, D7, D8, D9)
    assert stored(lake, [*LANDED, *GOLD]) == stored(twin, [*LANDED, *GOLD])


def land_a_day_with_late_changes(lake: SampleLake) -> None:
    """Changes older and newer than those that are stored, a delete, a revived key, rows for the quarantine."""
    orders = [
        order("o20", day=D9, at=f"{D9}T09:00:00Z", customer_id="c5", product_id="p4", amount="177.77"),
        order("o1", day=D5, at=f"{D5}T10:00:00Z", amount="1000"),
        order("o12", day=D6, at=f"{D6}T11:00:00Z", customer_id="c2", amount="46"),
        order("o4", day=D5, at=f"{D9}T09:00:00Z", customer_id="c3", status="RETURNED"),
        order("o13", day=D6, at=f"{D9}T09:00:00Z", product_id="p3"),
        delete("o8", f"{D9}T09:00:00Z"),
        order("bad-new", day="soon"),
    ]
    customers = [
        {"customer_id": "c1", "customer_segment": "LOW", "updated_at": f"{D6}T20:00:00Z"},  # splits a version
        {"customer_id": "c3", "customer_segment": "HIGH", "updated_at": f"{D9}T00:00:00Z"},
    ]
    products = [{"product_id": "p4", "product_category": "GAMES", "updated_at": f"{D9}T00:00:00Z"}]
    for source, rows in {"orders": orders, "customers": customers, "products": products}.items():
        lake.land(source, D9, "a.csv", rows)


def change_files_of_older_days(lake: SampleLake) -> None:
    """A file with fewer rows, other values and a repaired one, and a file that comes late."""
    repaired = order("bad-status", day=D5, at=f"{D5}T09:00:00Z", status="SHIPPED")
    kept = [order("o1", day=D5, store_id="s2"), order("o3", day=D5, amount="5.01")]
    lake.land("orders", D5, "a.csv", [*kept, repaired, order("bad-sign", amount="-1")])
    late = [order("o17", day=D6, at=f"{D6}T10:00:00Z", amount="10.01"), order("bad-late", status="LOST")]
    lake.land("orders", D6, "late.csv", late)


def change_the_followed_source(source: Path) -> None:
    """After version 2, which the lake took: an update, a delete, a revived key whose tombstone expired, a new key."""
    prices = DeltaTable(str(source))
    prices.update(predicate="store_id = 's1' AND product_id = 'p1'", updates={"price": "'1.60'"})
    prices.delete("store_id = 's2' AND product_id = 'p1'")
    new = {"store_id": ["s1", "s3"], "product_id": ["p2", "p3"], "price": ["2.20", "4.00"]}
    write_deltalake(str(source), pa.table(new), mode="append")


def carry(lake: SampleLake, keys: Iterable[str], *days: str) -> None:
    """These days of the tables, one table after the other."""
    for table in map(TABLES.__getitem__, keys):
        step = gold.extract_days if table.write.is_extract else STEPS[table.layer]
        step(lake.lake, table, days)


def replay(older: DagsterRunner, key: str) -> dg.ExecuteInProcessResult:
    config = {"ops": {"replay_table": {"config": {"table": key.removeprefix("silver/")}}}}
    job = older.defs.resolve_job_def("replay")
    return job.execute_in_process(instance=older.instance, run_config=config, raise_on_error=False)


def doctors_figures(capsys: pytest.CaptureFixture[str]) -> dict[str, tuple[int, ...]]:
    """Silver table -> rows in quarantine, stale days, all days."""
    capsys.readouterr()
    doctor.main()
    line = r"(silver/\w+) +(\d+) rows in quarantine, (\d+) of (\d+) days stale"
    return {key: tuple(map(int, told)) for key, *told in re.findall(line, capsys.readouterr().out)}


def silver_days(lake: SampleLake) -> dict[str, set[str]]:
    """Silver table -> the days that it took, as its ledger says."""
    rows = lake.rows("control/folded_files", "table_name", "day")
    return {key: {day for other, day in rows if other == key} for key, _ in rows}


def stale_days(lake: SampleLake) -> dict[str, set[str]]:
    """Silver table -> the days of a fingerprint that is not the table's."""
    rows = lake.rows("control/folded_files", "table_name", "day", "fingerprint")
    return {
        key: {day for other, day, code in rows if other == key and code != TABLES[key].fingerprint}
        for key, _, _ in rows
    }


def gold_of_an_older_contract(lake: SampleLake) -> set[str]:
    rows = lake.rows("control/refreshes", "table_name", "fingerprint")
    return {key for key, code in rows if code != TABLES[key].fingerprint}


def last_verdicts(lake: SampleLake) -> dict[tuple[str, str, str], bool]:
    """(asset, day, check) -> whether it passed in the last run that the older commit recorded."""
    rows = sorted(lake.rows("control/check_results"), key=lambda row: row["timestamp"])
    last = rows[-1]["run_id"]
    return {(r["asset"], r["day"], r["check_name"]): r["passed"] for r in rows if r["run_id"] == last}


def stored(lake: SampleLake, keys: list[str], *without: str) -> dict[str, list[dict[str, Any]]]:
    """All rows of the tables and of silver's quarantines, but for the times when they were written.

    Rows that landed before have no place in their file, and rows that were merged before have another hash.
    """
    quarantines = [f"quarantine/{key.removeprefix('silver/')}" for key in keys if key.startswith("silver/")]
    return {key: rows_of(lake, key, "_source_row", *without) for key in [*keys, *quarantines]}


def rows_of(lake: SampleLake, key: str, *without: str) -> list[dict[str, Any]]:
    def counts(name: str) -> bool:
        return name not in without and not name.endswith("_timestamp")

    rows = [{**row, "_sequence": order_of(row)} if row.get("_sequence") else row for row in lake.rows(key)]
    return sorted(({n: v for n, v in sorted(row.items()) if counts(n)} for row in rows), key=str)


def order_of(row: dict[str, Any]) -> dict[str, Any]:
    """What the contract orders changes by, and whether it is a delete."""
    added = ("hash", "content_hash", "_updated_at_nanoseconds")
    return {name: value for name, value in row["_sequence"].items() if name not in added}


def live_prices(lake: SampleLake) -> list[tuple[str, ...]]:
    rows = [row for row in lake.rows("silver/prices") if row["_deleted_at"] is None]
    return sorted((row["store_id"], row["product_id"], str(row["price"])) for row in rows)
