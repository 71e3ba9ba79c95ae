"""Rollback: a table is as it was, and the days told bring it back to what sources and inputs say."""

import shutil
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from deltalake import DeltaTable

from medallion_assets.commands import rollback as command
from medallion_assets.lakehouse.control.file_ledger import PENDING, LandedEntry, entries
from medallion_assets.lakehouse.maintenance.rollback import Rollback, rollback
from medallion_assets.lakehouse.maintenance.time_travel import commit_times
from medallion_assets.lakehouse.silver.audit import audit_days
from medallion_assets_tests.bronze import test_ingest_delta as following
from medallion_assets_tests.orchestration.test_table_jobs import message, start
from medallion_assets_tests.support.dagster_runner import DagsterRunner
from medallion_assets_tests.support.sample_lake import TABLES, SampleLake, delete, order

pytestmark = pytest.mark.long

ONE, TWO, THREE = "2026-01-01", "2026-01-02", "2026-01-03"
ITS_OWN = {
    "_source_row",
    "_ingestion_timestamp",
    "_silver_processed_timestamp",
    "_quarantined_timestamp",
    "_gold_created_timestamp",
}
"""What a row that is written again may have anew: when that was, and the number of its place, which tells the order
within its file."""


def rows(shop: SampleLake, key: str, version: int | None = None) -> list[dict[str, Any]]:
    found = DeltaTable(shop.lake.path(key), version=version).to_pyarrow_table().to_pylist()
    return sorted(({k: v for k, v in row.items() if k not in ITS_OWN} for row in found), key=str)


def back(shop: SampleLake, key: str, version: int) -> Rollback:
    """Rolls back, and holds the table to what it was then."""
    before = shop.table(key).version()
    done = rollback(shop.lake, shop.tables[key], version)
    assert (done.from_version, done.to_version) == (before, version)
    assert DeltaTable(shop.lake.path(key)).to_pyarrow_table().equals(
        DeltaTable(shop.lake.path(key), version=version).to_pyarrow_table()
    ) or rows(shop, key) == rows(shop, key, version)
    return done


def outcomes(shop: SampleLake, key: str) -> dict[str, Any]:
    """What became of every landed row, as the tables tell it now; all of them are accounted for."""
    days = audit_days(shop.lake, shop.tables[key], [ONE, TWO, THREE])
    assert all(figures.unique and not figures.unaccounted for figures in days.values())
    return {day: dict(figures.files) for day, figures in days.items()}


def test_silver_is_at_any_version_what_it_was_and_the_days_told_bring_it_back_with_gold(shop: SampleLake):
    at = "2026-01-0{}T12:00:00Z".format
    shop.land("orders", ONE, "a.csv", [order("o1"), order("bad", status="new"), order("o5")])
    shop.orders(ONE)
    shop.land("orders", TWO, "a.csv", [order("o1", at=at(2), amount="11", day=TWO), order("o4", day=TWO)])
    shop.orders(TWO)
    shop.land("orders", THREE, "a.csv", [order("o3", day=THREE), delete("o5", at(3))])
    shop.land("orders", THREE, "gone.csv", [order("o7"), order("o1", at=at(3), amount="12", day=THREE)])
    shop.orders(THREE)
    shop.land("orders", ONE, "late.csv", [order("o8"), order("o1", at=at(1), amount="9")])
    shop.orders(ONE)
    shop.land("orders", TWO, "a.csv", [order("o1", at=at(2), amount="13", day=TWO), order("bad", amount="?")])
    shop.orders(TWO)
    shop.remove("orders", THREE, "gone.csv")
    shop.materialize(THREE)
    assert shop.live() == [("o1", "13.00"), ("o3", "10.00"), ("o8", "10.00")]
    keys = ("silver/orders", "quarantine/orders", "gold/daily_sales")
    stored, known = {key: rows(shop, key) for key in keys}, outcomes(shop, "silver/orders")

    told = {4: [THREE], 3: [TWO, THREE], 2: [ONE, TWO, THREE], 1: [ONE, TWO, THREE], 0: [ONE, TWO, THREE]}
    for version, days in told.items():
        assert back(shop, "silver/orders", version).days == days
        if version == 4:
            shop.gold()
            assert rows(shop, "gold/daily_sales") != stored["gold/daily_sales"]
        if version == 1:  # undone in part before anything was restated
            assert back(shop, "silver/orders", 3).days == days
        done = shop.run("silver/orders", *days)
        assert not any(figures.unaccounted for figures in done.values())
        if version == 4:
            shop.gold()
        assert {key: rows(shop, key) for key in keys} == stored, version
    assert outcomes(shop, "silver/orders") == known


def test_a_file_whose_day_is_gone_goes_again_and_versions_come_back(shop: SampleLake):
    def customer(segment: str, at: str) -> dict[str, str]:
        return {"customer_id": "c1", "customer_segment": segment, "updated_at": at}

    shop.land("customers", ONE, "a.csv", [customer("GOLD", ONE)])
    shop.land("customers", TWO, "a.csv", [customer("IRON", TWO), customer("", THREE) | {"customer_id": "c2"}])
    shop.materialize(ONE, TWO, last="silver/customers")
    shop.remove("customers", TWO, "a.csv")
    shop.land("customers", THREE, "a.csv", [customer("BASIC", THREE)])
    shop.materialize(TWO, THREE, last="silver/customers")
    before, known = rows(shop, "silver/customers"), outcomes(shop, "silver/customers")
    assert [row["customer_segment"] for row in before] == ["BASIC", "GOLD"]

    assert back(shop, "silver/customers", 0).days == [TWO, THREE]
    assert len(rows(shop, "silver/customers")) == 3
    shop.run("silver/customers", TWO, THREE)
    assert rows(shop, "silver/customers") == before and outcomes(shop, "silver/customers") == known


def test_bronze_reads_again_what_the_older_version_lacks_and_no_row_comes_twice(shop: SampleLake):
    shop.land("orders", ONE, "a.csv", [order("o1"), order("o2")])
    shop.orders(ONE)
    shop.land("orders", TWO, "a.csv", [order("o3")])
    shop.land("orders", TWO, "gone.csv", [order("o4")])
    shop.orders(TWO)
    shop.land("orders", ONE, "a.csv", [order("o1", amount="11")])
    shop.orders(ONE)
    shop.remove("orders", TWO, "gone.csv")
    shop.orders(TWO)
    before, orders = rows(shop, "bronze/orders"), rows(shop, "silver/orders")
    for version, days in {2: [TWO], 0: [ONE, TWO]}.items():
        assert back(shop, "bronze/orders", version).days == days
        shop.run("silver/orders", *days)  # waits for bronze
        assert rows(shop, "silver/orders") == orders
        if version == 0:  # undone before anything was read again
            assert back(shop, "bronze/orders", 3).days == days
        shop.orders(*days)
        assert rows(shop, "bronze/orders") == before and rows(shop, "silver/orders") == orders
        assert not any(figures.unaccounted for figures in shop.run("silver/orders", ONE, TWO).values())


def test_a_followed_source_is_pulled_again_from_where_the_older_version_ends(spark, tmp_path: Path):
    shop = following.Shop(spark, tmp_path, following.tables(tmp_path / "source"))
    shop.write([("1", "p1", "1.00"), ("1", "p2", "2.00")])
    shop.follow()
    source = shop.source()
    source.update(predicate="product_id = 'p1'", updates={"price": "'1.50'"})
    source.delete("product_id = 'p2'")
    shop.follow()
    shop.write([("1", "p3", "3.00")])
    shop.follow()
    prices = shop.prices()
    shop.write([("1", "p4", "4.00")])

    assert back(shop, "bronze/prices", 1).days == [following.today()]
    shop.follow()
    assert shop.prices() == [*prices, ("1", "p4", "4.00")]
    landed = shop.rows("bronze/prices", "product_id", "price", "op")
    assert landed == [
        ("p1", "1.00", "U"),
        ("p1", "1.50", "U"),
        ("p2", "2.00", "D"),
        ("p2", "2.00", "U"),
        ("p3", "3.00", "U"),
        ("p4", "4.00", "U"),
    ]
    back(shop, "bronze/prices", 0)
    assert back(shop, "bronze/prices", 1).days == [following.today()]  # a batch that no ledger holds as taken
    known = entries(shop.lake.root, LandedEntry, "bronze/prices")[following.today()]
    assert [entry.status == PENDING for _, entry in sorted(known.items())] == [False, False, True]
    shop.follow()
    assert shop.prices() == [*prices, ("1", "p4", "4.00")]
    assert shop.rows("bronze/prices", "product_id", "price", "op") == landed
    figures = audit_days(shop.lake, shop.tables["silver/prices"], [following.today()])[following.today()]
    assert not figures.unaccounted


def test_gold_computes_again_what_it_held_no_more(shop: SampleLake):
    shop.land("orders", ONE, "a.csv", [order("o1"), order("o2", day=TWO)])
    shop.materialize(ONE)
    shop.run("gold/customer_activity", ONE)
    shop.land("orders", TWO, "a.csv", [order("o3", day=TWO), order("o4", day=THREE)])
    shop.materialize(TWO)
    shop.run("gold/customer_activity", TWO)
    keys = ("gold/fact_orders", "gold/daily_sales", "gold/customer_activity")
    before = {key: rows(shop, key) for key in keys}
    assert back(shop, "gold/daily_sales", 0).days == [TWO, THREE]
    assert list(shop.run("gold/daily_sales").days) == [TWO, THREE]
    assert rows(shop, "gold/daily_sales") == before["gold/daily_sales"]

    shutil.rmtree(shop.lake.path("control/refreshes"))  # what is not known to be done is done
    for key in keys:
        back(shop, key, 0)
    for key in keys:
        shop.run(key)
        assert rows(shop, key) == before[key]


def test_the_job_and_the_command_say_what_was_done_or_why_it_cannot_be(
    desk: DagsterRunner, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
):
    shop = desk.shop
    for day, name in ((ONE, "o1"), (TWO, "o2")):
        shop.land("orders", day, "a.csv", [order(name), order("o3", at=f"{day}T12:00:00Z")])
        shop.orders(day)
    first, last = commit_times(shop.lake.root, "silver/orders").values()

    def asked(table: str = "silver/orders", **config: str) -> str:
        return message(start(desk, "rollback", TABLES, table=table, **config))

    assert "no table 'gold/dim_date' in the lake. Name one of: bronze/orders, silver/orders" in asked(
        "gold/dim_date", version="0"
    )
    with pytest.raises(dg.DagsterInvalidConfigError, match="not in enum type tables_of_rollback"):
        asked("silver/order", version="0")
    assert "silver/orders has no version 7: there are 0 to 1" in asked(version="7")
    assert "'x' is no version" in asked(version="x") and "'x' is no time" in asked(as_of="x")
    assert "Give either VERSION" in asked() and "Give either VERSION" in asked(version="0", as_of=ONE)
    early = asked(as_of=ONE)
    assert (
        "silver/orders has no version as old as 2026-01-01 00:00:00+00:00: its first version, 0, is of"
        in early
    )

    def call(*words: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["rollback", "--table", "silver/orders", *words])
        return command.main(), "\n".join(capsys.readouterr())

    runs = desk.instance.get_runs_count()
    for words in (["--version", "7"], ["--version", "x"], ["--as-of", "x"], []):
        with pytest.raises(SystemExit) as refused:
            call(*words)
        assert refused.value.code == 2 and "rollback: error: " in capsys.readouterr().err
    assert desk.instance.get_runs_count() == runs
    code, said = call("--version", "1", "--as-of", "")
    assert code == 0 and "version 1 is the current one: nothing was done" in said
    assert shop.versions(["silver/orders"]) == {"silver/orders": 1}
    code, said = call("--version", "", "--as-of", str(last - timedelta(milliseconds=1)))
    assert code == 0 and first < last, said
    assert "from version 1 back to 0; 2 entries" in said and f"days to re-run: {TWO}" in said
    assert f"--select 'silver/orders*' --partition-range {TWO}...{TWO}" in said
    assert [row[0] for row in shop.live()] == ["o1", "o3"]
    shop.orders(TWO)
    shop.table("silver/orders").vacuum(retention_hours=0, enforce_retention_duration=False, dry_run=False)
    code, said = call("--version", "1")
    assert code == 1 and "version 1 cannot be restored, since files of it were removed (vacuumed)" in said
