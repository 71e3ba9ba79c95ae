"""The assets in Dagster: runs over a day and a range, rejected days, checks alone, and what people see."""

from collections import defaultdict

import dagster as dg
from dagster._core.definitions.data_version import CachingStaleStatusResolver
from dagster._core.loader import LoadingContextForTest
from dagster._core.storage.partition_status_cache import get_and_update_asset_status_cache_value

from medallion_assets.commands.job_runner import evaluations
from medallion_assets.orchestration.assets.checks import checks_of
from medallion_assets.orchestration.partitions import CALENDAR
from medallion_assets_tests.support.dagster_runner import (
    KIND,
    DagsterRunner,
    checks,
    defs,
    materializations,
    observations,
)
from medallion_assets_tests.support.sample_lake import order

ONE, TWO, THREE = "2026-01-01", "2026-01-02", "2026-01-03"


def test_one_bad_day_of_a_range_is_red_and_the_good_days_reach_gold(desk: DagsterRunner):
    shop = desk.shop
    shop.land("orders", ONE, "a.csv", [order("o1", day=ONE)])
    shop.land("orders", TWO, "a.csv", [order("o2", day=TWO), order("x", amount="?"), order("y", amount="?")])
    result = desk.run("landing_to_gold", ONE, THREE)

    assert not result.success
    (failure,) = [event for event in result.all_events if event.event_type is KIND.STEP_FAILURE]
    assert failure.step_key == "silver__orders_open_days"
    error = failure.step_failure_data.error
    assert error and not error.stack and not error.cause  # the text is all that people see
    assert error.message.startswith(
        f"1 day was rejected by a blocking check: {TWO}: silver/orders quarantine_ratio: 2 of 3 rows (67%, limit "
        f"50%) of orders/date={TWO}/a.csv break a rule: order_amount_not_null 2, order_amount_is_decimal 2. Mend the "
        "file; the sensor takes it"
    )

    done = materializations(result)
    assert set(done["bronze/orders"]) == {ONE, TWO, THREE}
    assert set(done["silver/orders"]) == set(done["gold/daily_sales"]) == {ONE, THREE}
    assert [row[0] for row in shop.live()] == ["o1"]
    assert [row[0] for row in shop.rows("gold/daily_sales", "order_date")] == [ONE]
    by_day = checks(result)
    assert by_day["silver/orders", "quarantine_ratio"] == {ONE: True, TWO: False}
    assert by_day["silver/orders", "order_amount_is_decimal"] == {ONE: True, TWO: False}
    assert by_day["gold/daily_sales", "reconciles_with_silver"] == {ONE: True}
    assert by_day["silver/orders", "open_days"] == {"": False}
    told = observations(result)
    assert (told["silver/orders"][TWO]["status"], told["silver/orders"][TWO]["quarantined"]) == ("BLOCKED", 2)
    assert (
        "2 of 3 rows" in told["silver/orders"][TWO]["reason"]
        and "| ? |" in told["silver/orders"][TWO]["quarantine"]
    )
    skipped = {"status": "SKIPPED", "reason": "silver/orders quarantine_ratio"}
    assert told["gold/fact_orders"] == told["gold/daily_sales"] == {TWO: skipped}
    assert red_days(desk) == {"silver/orders": {TWO}}
    (broken,) = [
        e for e in evaluations(result) if (e.check_name, e.partition) == ("order_amount_is_decimal", TWO)
    ]
    row = "order_id=x, order_amount=?, _source_file=orders/date=2026-01-02/a.csv"
    assert broken.metadata["row 1"].value == row and broken.metadata["rows"].value == 3
    (open_days,) = [e for e in evaluations(result) if (e.check_name, e.passed) == ("open_days", False)]
    rules = "order_amount_is_decimal, order_amount_not_null"
    assert open_days.metadata[f"{TWO} row 1"].value == f"_failed_rules={rules}, {row}"
    assert "array_contains(_failed_rules, 'order_amount_is_decimal')" in str(broken.metadata["query"].value)
    logged = [entry.user_message for entry in desk.instance.all_logs(result.run_id)]
    assert any(line.startswith("silver/orders: 3 days, 4 rows, 2 in quarantine, ") for line in logged)
    assert any(
        line.startswith(f"{TWO} was not published: silver/orders quarantine_ratio: 2 of") for line in logged
    )

    shop.land("orders", TWO, "a.csv", [order("o2", day=TWO)])
    result = desk.run("landing_to_gold", TWO)
    assert result.success and set(materializations(result)["gold/daily_sales"]) == {TWO}
    assert checks(result)["silver/orders", "open_days"] == {"": True} and red_days(desk) == {}


def red_days(desk: DagsterRunner) -> dict[str, set[str]]:
    """Asset -> the days that the UI shows as failed, or with a check that failed or was not executed."""
    found: dict[str, set[str]] = defaultdict(set)
    for table in desk.shop.tables.values():
        key = dg.AssetKey([table.layer, table.name])
        status = get_and_update_asset_status_cache_value(desk.instance, key, CALENDAR)
        failed = status.deserialize_failed_partition_subsets(CALENDAR) if status else None
        found[table.key] |= set(failed.get_partition_keys()) if failed else set()
        names = [dg.AssetCheckKey(key, check.name) for check in checks_of(table)]
        for info in desk.instance.event_log_storage.get_asset_check_partition_info(names):
            if info.latest_execution_status.value != "SUCCEEDED" and info.partition_key:
                found[table.key].add(info.partition_key)
    return {key: days for key, days in found.items() if days}


def test_each_day_has_its_figures_and_a_second_run_has_the_same_and_leaves_nothing_unsynced(
    desk: DagsterRunner,
):
    desk.shop.land(
        "orders",
        ONE,
        "a.csv",
        [order("o1"), order("o2", status="lost"), order("o1"), order("g", customer_id="")],
    )
    first = materializations(desk.run("landing_to_gold", ONE, TWO))
    silver = first["silver/orders"][ONE]
    assert silver["status"] == "OK" and first["silver/orders"][TWO]["status"] == "NO_DATA"
    assert (silver["rows_in"], silver["dagster/partition_row_count"]) == (4, 2)
    assert silver["waterfall"] == "4 landed = 2 current + 1 superseded + 1 quarantined"
    assert silver["query"] == (
        f"SELECT * FROM delta.`{desk.shop.lake.path('silver/orders')}` WHERE _ingestion_date = DATE '{ONE}'"
    )
    assert (silver["superseded"], silver["deleted"], silver["quarantined"]) == (1, 0, 1)
    assert 90 < silver["quality_score"] < 100
    assert "lost" in silver["quarantine"] and "| o1 |" in silver["preview"]
    assert silver["mebibytes"] > 0 and silver["seconds"] > 0
    assert first["gold/daily_sales"][ONE]["total_sales"] == 20.0

    second = materializations(desk.run("landing_to_gold", ONE, TWO))
    for asset, days in first.items():
        for day, metadata in days.items():
            steady = metadata.keys() - {"seconds", "preview", "mebibytes", "delta_version"}
            assert {name: second[asset][day][name] for name in steady} == {
                name: metadata[name] for name in steady
            }

    silver = ("bronze/orders", "silver/orders")
    assert desk.run_assets(silver, ONE).success and unsynced(desk, ONE) == {}
    desk.shop.land("orders", ONE, "a.csv", [order("o1", amount="12.50")])
    assert desk.run_assets(silver, ONE).success and unsynced(desk, TWO) == {}
    assert unsynced(desk, ONE) == {
        "gold/fact_orders": {("has a new dependency data version", str(dg.AssetKey(["silver", "orders"])))}
    }


def unsynced(desk: DagsterRunner, day: str) -> dict[str, set[tuple[str, str]]]:
    """Asset -> why the UI shows its day as unsynced, and by which input."""
    graph, context = desk.defs.resolve_asset_graph(), LoadingContextForTest(desk.instance)
    resolver = CachingStaleStatusResolver(desk.instance, graph, context)
    causes = {key: resolver.get_stale_causes(key, day) for key in graph.materializable_asset_keys}
    return {
        key.to_user_string(): {(one.reason, str(one.dependency_asset_key)) for one in found}
        for key, found in causes.items()
        if found
    }


def test_checks_run_alone_for_a_day_or_a_range_and_write_nothing(desk: DagsterRunner):
    desk.shop.land("orders", ONE, "a.csv", [order("o1"), order("bad", amount="?")])
    (desk.shop.landing / "orders" / "date=2026-1-2").mkdir()
    desk.run("landing_to_gold", ONE, TWO)
    tables = [*desk.shop.tables, "quarantine/orders", "control/landed_files", "control/folded_files"]
    before = desk.shop.versions(tables)
    result = desk.run("all_checks", ONE, TWO)
    assert result.success and materializations(result) == {}
    found = checks(result)
    assert found["silver/orders", "order_amount_is_decimal"] == {ONE: False}
    assert found["bronze/orders", "only_day_folders"] == {
        TWO: False
    }  # the last day tells it, even without data
    assert found["silver/orders", "row_conservation"] == {ONE: True}
    assert found["gold/daily_sales", "reconciles_with_silver"] == {ONE: True}
    assert desk.shop.versions(tables) == before

    desk.shop.table("silver/orders").delete("order_id = 'o1'")
    found = checks(desk.run("all_checks", ONE))
    assert found["silver/orders", "row_conservation"] == {ONE: False}


def test_check_results_are_kept_per_day_with_the_materialization_they_speak_of(desk: DagsterRunner):
    desk.shop.land("orders", ONE, "a.csv", [order("o1")])
    desk.shop.land("orders", TWO, "a.csv", [order("o2", day=TWO)])
    desk.run("landing_to_gold", ONE, TWO)
    key = dg.AssetCheckKey(dg.AssetKey(["silver", "orders"]), "row_conservation")
    infos = desk.instance.event_log_storage.get_asset_check_partition_info([key])
    assert {info.partition_key for info in infos} == {ONE, TWO}
    assert all(info.is_current and info.latest_target_materialization_storage_id for info in infos)


def test_gold_refuses_a_day_whose_silver_is_red_also_in_a_later_run(desk: DagsterRunner):
    desk.shop.land("orders", ONE, "a.csv", [order("o1", amount="?")])
    desk.run("landing_to_gold", ONE)
    gold_only = dg.define_asset_job("gold_only", dg.AssetSelection.groups("gold"))
    bound = dg.Definitions.merge(defs, dg.Definitions(jobs=[gold_only]))
    result = bound.resolve_job_def("gold_only").execute_in_process(
        instance=desk.instance, partition_key=ONE, raise_on_error=False
    )
    dimensions = {"gold/dim_customer", "gold/dim_product"}
    assert not result.success and set(materializations(result)) == dimensions


def test_silver_alone_says_what_landed_that_bronze_has_not_taken(desk: DagsterRunner):
    silver_only = dg.define_asset_job(
        "silver_only", dg.AssetSelection.assets(dg.AssetKey(["silver", "orders"]))
    )
    bound = dg.Definitions.merge(defs, dg.Definitions(jobs=[silver_only])).resolve_job_def("silver_only")
    desk.shop.land("orders", ONE, "a.csv", [order("o1")])
    result = bound.execute_in_process(instance=desk.instance, partition_key=ONE)
    told = {("silver/orders", "stale_days"): {ONE: False}, ("silver/orders", "open_days"): {"": True}}
    assert checks(result) == told
    metadata = materializations(result)["silver/orders"][ONE]
    assert (metadata["status"], metadata["not_in_bronze"]) == ("NO_DATA", 1)
    assert checks(desk.run("landing_to_gold", ONE))["silver/orders", "stale_days"] == {ONE: True}


def test_a_red_day_that_lost_its_files_keeps_nothing_back_any_more(desk: DagsterRunner):
    desk.shop.land("orders", ONE, "a.csv", [order("o1", amount="?")])
    assert not desk.run("landing_to_gold", ONE).success
    desk.shop.remove("orders", ONE, "a.csv")
    for _ in range(2):
        result = desk.run("landing_to_gold", ONE)
        assert result.success and set(materializations(result)["gold/daily_sales"]) == {ONE}
        assert red_days(desk) == {}
