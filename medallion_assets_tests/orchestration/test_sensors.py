"""The sensors ask for exactly the days that need it, and what they ask for makes the lake right."""

import os
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pyarrow as pa
import pytest
from deltalake import write_deltalake

from medallion_assets import definitions, example_definitions
from medallion_assets_tests.support.dagster_runner import DagsterRunner, assets, defs, materializations, span
from medallion_assets_tests.support.sample_lake import order

ONE, TWO, THREE, NINE = "2026-01-01", "2026-01-02", "2026-01-03", "2026-01-09"


MADE_OF_ORDERS = {"gold/fact_orders", "gold/daily_sales"}


def customer(customer_id: str, segment: str, at: str = ONE) -> dict[str, str]:
    return {"customer_id": customer_id, "customer_segment": segment, "updated_at": at}


def sales(desk: DagsterRunner) -> list[tuple]:
    return desk.shop.rows("gold/daily_sales", "order_date", "customer_segment", "total_sales")


def skipped(result: dg.SensorResult) -> str:
    assert not result.run_requests and result.skip_reason
    return result.skip_reason.skip_message or ""


def settled(desk: DagsterRunner, sensor: str = "landed_files") -> list[dg.RunRequest]:
    """What is asked for at the tick after the one that saw it first."""
    assert desk.ask(sensor) == []
    return desk.ask(sensor)


def test_landed_files_bring_the_lake_up_to_date_day_by_day(desk: DagsterRunner):
    shop = desk.shop
    for day in (ONE, TWO, THREE, NINE):
        shop.land("orders", day, "a.csv", [order(f"o{day}", day=day)])
    shop.land("customers", TWO, "c.csv", [customer("c1", "GOLD")])
    shop.land("orders", "2016-12-31", "a.csv", [order("early")])
    shop.land("orders", THREE, "b.csv.part", "half a f")
    backlog, late = settled(desk)
    assert (span(backlog), span(late)) == ((ONE, THREE), (NINE, NINE))
    assert assets(late) == {"bronze/orders", "silver/orders", *MADE_OF_ORDERS}
    assert assets(backlog) == assets(late) | {"bronze/customers", "silver/customers", "gold/dim_customer"}
    assert desk.carry(backlog).success and desk.carry(late).success
    assert sales(desk) == [(day, "GOLD", "10.00") for day in (ONE, TWO, THREE, NINE)]
    assert "bronze/orders 2016-12-31: outside the calendar" in skipped(desk.tick("landed_files"))

    desk.cursors.clear()  # a daemon that lost its memory asks for nothing that was done
    assert settled(desk) == []
    untouched = {uri for uri in shop.files("gold/daily_sales") if TWO not in uri}
    shop.land("orders", TWO, "b.csv", [order("o2", day=TWO, amount="5")])
    (request,) = settled(desk)
    assert span(request) == (TWO, TWO) and assets(request) == assets(late)
    done = materializations(desk.carry(request))
    assert set(done["gold/daily_sales"]) == {TWO}
    assert (TWO, "GOLD", "15.00") in sales(desk)
    assert untouched <= shop.files("gold/daily_sales")
    assert desk.ask("stale_gold") == []  # the run did it already

    shop.remove("orders", NINE, "a.csv")
    (shop.landing / "customers").rename(shop.landing / "gone")
    told = skipped(desk.tick("landed_files"))
    assert f"bronze/orders {NINE}: all its files are gone" in told
    assert "customers is not there: mount or create it" in told
    assert len(sales(desk)) == 4


def test_dates_which_nothing_brings_are_asked_for_with_what_needs_them(desk: DagsterRunner):
    desk.shop.land("orders", ONE, "a.csv", [order("o1", day=ONE)])
    (request,) = settled(DagsterRunner(desk.shop, desk.instance, definitions.defs))
    made = {"gold/fact_orders", "gold/daily_sales", "gold/customer_activity", "gold/order_status_funnel"}
    assert assets(request) == {"bronze/orders", "silver/orders", "gold/dim_date", *made}


def test_a_state_that_comes_back_is_asked_for_again(desk: DagsterRunner):
    """Dagster drops a run key that it has ever seen, so none may come twice."""
    shop = desk.shop
    shop.land("orders", ONE, "a.csv", [order("o1", day=ONE)])
    assert settled(desk)
    shop.orders(ONE)
    for land in (True, False, True):
        if land:
            shop.land("orders", ONE, "b.csv", [order("o2", day=ONE)])
            os.utime(shop.landing / "orders" / f"date={ONE}" / "b.csv", (1767225600, 1767225600))
        else:
            shop.remove("orders", ONE, "b.csv")
        assert settled(desk)
        shop.orders(ONE)
        assert len(shop.live()) == (2 if land else 1)


def test_what_silver_did_not_fold_is_asked_for_unless_a_run_is_about_to(desk: DagsterRunner):
    """A step of silver that ended before its commit leaves bronze ahead, which no listing shows."""
    shop = desk.shop
    shop.land("orders", ONE, "a.csv", [order("o1", day=ONE)])
    shop.run("bronze/orders", ONE)
    _open_run(desk, "bronze/orders", ONE)
    assert desk.ask("landed_files") == [] and desk.ask("landed_files") == []
    _close_runs(desk)
    (request,) = desk.ask("landed_files")
    assert span(request) == (ONE, ONE)
    assert desk.carry(request).success and [row[0] for row in shop.live()] == ["o1"]
    assert settled(desk) == []


def test_at_most_so_many_requests_are_open_at_a_time(desk: DagsterRunner):
    for day in range(1, 20, 2):
        desk.shop.land("orders", f"2026-01-{day:02d}", "a.csv", [order("o1")])
    assert len(settled(desk)) == 4
    own = {"dagster/sensor_name": "landed_files", "dagster/partition": "2026-02-01"}
    for status in (
        dg.DagsterRunStatus.STARTED,
        dg.DagsterRunStatus.STARTING,
        dg.DagsterRunStatus.NOT_STARTED,
    ):
        desk.instance.create_run_for_job(
            _job(), status=status, tags=own, asset_selection=frozenset([dg.AssetKey(["bronze", "orders"])])
        )
    assert [span(request)[0] for request in desk.ask("landed_files")] == ["2026-01-09"]
    assert len(desk.ask("landed_files")) == 1  # the one above was not really started


def test_stale_gold_asks_for_what_no_run_did(desk: DagsterRunner):
    shop = desk.shop
    shop.land("customers", ONE, "c.csv", [customer("c1", "GOLD"), customer("c2", "SILVER")])
    shop.land("orders", ONE, "a.csv", [order("o1", day=ONE), order("o2", day=TWO, customer_id="c2")])
    shop.materialize(ONE)
    assert desk.ask("stale_gold") == []

    shop.land("orders", TWO, "a.csv", [order("o2", day=THREE, customer_id="c2", at="2026-01-05T00:00:00Z")])
    shop.orders(TWO)
    _open_run(desk, "gold/fact_orders")
    assert desk.ask("stale_gold") == []  # a run is about to do it
    _close_runs(desk)
    (request,) = desk.ask("stale_gold")
    assert span(request) == (TWO, TWO) and assets(request) == MADE_OF_ORDERS
    assert request.tags["touched_days"] == f"{TWO} {THREE}"
    assert desk.ask("stale_gold") == []
    _open_run(desk, "gold/fact_orders")  # its run, which then ends without having written
    assert desk.ask("stale_gold") == []
    _close_runs(desk)
    assert desk.ask("stale_gold") == []
    assert set(materializations(desk.carry(request))["gold/daily_sales"]) == {TWO, THREE}
    assert sales(desk) == [(ONE, "GOLD", "10.00"), (THREE, "SILVER", "10.00")]

    # A member that really changed restates the days of its facts; a snapshot that bumps a time restates none.
    for day, segment, days in ((TWO, "BRONZE", {THREE}), (THREE, "BRONZE", set())):
        before = shop.files("gold/daily_sales")
        shop.land("customers", day, "c.csv", [customer("c1", "GOLD", day), customer("c2", segment, day)])
        shop.run("bronze/customers", day)
        shop.run("silver/customers", day)
        (request,) = desk.ask("stale_gold")
        assert assets(request) == {"gold/dim_customer", *MADE_OF_ORDERS}
        assert materializations(desk.carry(request))["gold/daily_sales"].keys() - {span(request)[0]} == days
        assert {uri for uri in before if not any(day in uri for day in days)} <= shop.files(
            "gold/daily_sales"
        )
        assert desk.ask("stale_gold") == []
    assert sales(desk) == [(ONE, "GOLD", "10.00"), (THREE, "BRONZE", "10.00")]


def test_a_source_is_not_asked_for_again_while_a_run_of_it_is_open(
    desk: DagsterRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    prices = str(tmp_path / "prices")
    monkeypatch.setenv("MEDALLION_PRICES", prices)
    desk = DagsterRunner(desk.shop, desk.instance, example_definitions.defs)
    row = pa.table({"store_id": ["1"], "product_id": ["p1"], "price": ["2"]})
    write_deltalake(prices, row)
    (request,) = desk.ask("watermarks")
    assert "bronze/prices" in assets(request)
    today = request.partition_key
    _open_run(desk, "bronze/prices", today)
    for _ in range(2):  # a live source is another one at each tick
        write_deltalake(prices, row, mode="append")
        assert "bronze/prices: an open run is about to read it" in skipped(desk.tick("watermarks"))
    _close_runs(desk)
    (request,) = desk.ask("watermarks")
    assert span(request) == (today, today)


def test_a_tick_of_every_sensor_starts_no_jvm_and_reads_no_data_file(desk: DagsterRunner, tmp_path: Path):
    shop = desk.shop
    shop.land("customers", ONE, "c.csv", [customer("c1", "GOLD")])
    shop.land("orders", ONE, "a.csv", [order("o1", day=ONE)])
    for key in shop.tables:
        shop.run(key, ONE)
    shop.land("orders", TWO, "a.csv", [order("o2", day=TWO)])
    shop.orders(TWO)
    shop.land("orders", THREE, "a.csv", [order("o3", day=THREE)])
    for layer in ("bronze", "silver", "gold"):
        for file in (Path(shop.lake.root) / layer).rglob("*.parquet"):
            if "_delta_log" not in file.parts:
                file.write_bytes(b"not to be read")
    script = tmp_path / "tick.py"
    script.write_text(_TICK)
    places = {"MEDALLION_LAKEHOUSE": shop.lake.root, "MEDALLION_LANDING": str(shop.landing)}
    done = subprocess.run(
        [sys.executable, str(script)], env=os.environ | places, capture_output=True, text=True, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [f"landed_files:{THREE}", f"stale_gold:{TWO}"]


_TICK = """
import os, sys
opened = []
sys.addaudithook(lambda event, args: opened.append(str(args[0])) if event == "open" else None)
import dagster as dg
from medallion_assets.definitions import defs

with dg.DagsterInstance.ephemeral() as instance:
    for sensor in ("landed_files", "watermarks", "stale_gold"):
        cursor = None
        for _ in range(2):
            context = dg.build_sensor_context(
                instance=instance, cursor=cursor, sensor_name=sensor,
                resources={name: defs.resources[name] for name in ("lakehouse", "sensor_settings")},
            )
            result = defs.get_repository_def().get_sensor_def(sensor)(context)
            cursor = result.cursor
            for request in result.run_requests or []:
                print(f"{sensor}:{request.partition_key}")

from pyspark import SparkContext
assert SparkContext._gateway is None
landing = os.environ["MEDALLION_LANDING"]
assert not [path for path in opened if path.startswith(landing) and path.endswith(".csv")]
"""


def _job() -> dg.JobDefinition:
    return defs.resolve_job_def("landing_to_gold")


def _open_run(desk: DagsterRunner, asset: str, day: str | None = None) -> None:
    key = dg.AssetKey(asset.split("/"))
    desk.instance.create_run_for_job(
        desk.defs.resolve_job_def("landing_to_gold"),
        status=dg.DagsterRunStatus.STARTED,
        asset_selection=frozenset([key]),
        tags={"dagster/partition": day} if day else None,
    )


def _close_runs(desk: DagsterRunner) -> None:
    for run in desk.instance.get_runs():
        if not run.is_finished:
            desk.instance.report_run_canceled(run)
