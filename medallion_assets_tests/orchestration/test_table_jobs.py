"""The jobs that one starts by hand: replay after a correction, full_refresh, and the watermark's way back."""

import dataclasses
from collections.abc import Iterator
from typing import Any

import dagster as dg
import pytest

from medallion_assets.contracts.stored import IncompatibleContract
from medallion_assets.contracts.table import Table
from medallion_assets.lakehouse import gold, silver
from medallion_assets.lakehouse.control import watermarks
from medallion_assets.orchestration.jobs.table_jobs import build_table_jobs
from medallion_assets_tests.support.dagster_runner import DagsterRunner, checks, defs, materializations
from medallion_assets_tests.support.sample_lake import TABLES, delete, order

ONE, TWO, THREE = "2026-01-01", "2026-01-02", "2026-01-03"


def start(
    desk: DagsterRunner, job: str, tables: dict[str, Table] = TABLES, **config: str
) -> dg.ExecuteInProcessResult:
    (definition,) = [found for found in build_table_jobs(tables) if found.name == job]
    return definition.execute_in_process(
        instance=desk.instance,
        resources=defs.resources,
        run_config={"ops": {f"{job}_table": {"config": config}}},
        raise_on_error=False,
    )


def message(result: dg.ExecuteInProcessResult) -> str:
    (failed,) = [event for event in result.all_events if event.is_step_failure]
    return str(failed.step_failure_data.error)


def with_orders(**changes) -> dict[str, Any]:
    """The repository's tables with another contract for silver.orders, also as gold's input."""
    orders = dataclasses.replace(TABLES["silver/orders"], **changes)
    facts = dataclasses.replace(TABLES["gold/fact_orders"], inputs=(orders,))
    return TABLES | {orders.key: orders, facts.key: facts}


def stored(desk: DagsterRunner) -> list[dict]:
    hidden = {"_silver_processed_timestamp"}
    rows = desk.shop.rows("silver/orders", order_by="order_id")
    return [{k: v for k, v in row.items() if k not in hidden} for row in rows]


@pytest.fixture
def landed(desk: DagsterRunner) -> Iterator[DagsterRunner]:
    shop = desk.shop
    shop.land("orders", ONE, "a.csv", [order("o1"), order("o2", status="new", day=TWO), order("o5")])
    shop.land("orders", TWO, "a.csv", [order("o1", at="2026-01-02T00:00:00Z", amount="11"), order("o4")])
    shop.land("orders", THREE, "a.csv", [order("o3", day=THREE), delete("o5", "2026-01-03T00:00:00Z")])
    assert desk.run("landing_to_gold", ONE, THREE).success
    yield desk


def test_replay_frees_the_rows_that_a_corrected_rule_takes_and_brings_gold_along(landed: DagsterRunner):
    rules = tuple(
        dataclasses.replace(rule, predicate="order_status IN ('COMPLETED', 'NEW')")
        if rule.name == "order_status_one_of"
        else rule
        for rule in TABLES["silver/orders"].rules
    )
    done = start(landed, "replay", with_orders(rules=rules), table="orders")
    assert done.success
    (output,) = [event for event in done.all_events if event.is_successful_output]
    told = {name: value.value for name, value in output.step_output_data.metadata.items()}
    assert told == {"days": 3, "freed": 1, "quarantined": 0}
    assert [row[0] for row in landed.shop.live()] == ["o1", "o2", "o3", "o4"]
    assert landed.shop.rows("quarantine/orders") == []
    assert set(materializations(done)["silver/orders"]) == {ONE, TWO, THREE}
    assert checks(done)["silver/orders", "row_conservation"] == {ONE: True, TWO: True, THREE: True}

    before = landed.shop.versions(["silver/orders", "gold/daily_sales"])
    again = start(landed, "replay", with_orders(rules=rules), table="orders")
    assert again.success and landed.shop.versions(["silver/orders", "gold/daily_sales"]) == before


def test_full_refresh_gives_the_table_that_the_fold_gave(landed: DagsterRunner):
    before, quarantine = stored(landed), landed.shop.rows("quarantine/orders", "order_id", "_failed_rules")
    sales = landed.shop.rows("gold/daily_sales", "order_date", "total_sales")
    done = start(landed, "full_refresh", table="orders")
    assert done.success and stored(landed) == before
    assert landed.shop.rows("quarantine/orders", "order_id", "_failed_rules") == quarantine
    assert landed.shop.rows("gold/daily_sales", "order_date", "total_sales") == sales
    figures = {
        day: m["dagster/partition_row_count"] for day, m in materializations(done)["silver/orders"].items()
    }
    assert figures == {ONE: 0, TWO: 2, THREE: 1}
    version = landed.shop.versions(["silver/orders"])
    landed.shop.orders(ONE, TWO, THREE)  # the ledger knows what the rebuild folded
    assert landed.shop.versions(["silver/orders"]) == version


def test_another_type_stops_with_the_job_to_run_and_a_new_column_flows_through(landed: DagsterRunner):
    columns = tuple(
        dataclasses.replace(c, type="double") if c.name == "order_amount" else c
        for c in TABLES["silver/orders"].columns
    )
    other = with_orders(columns=columns)
    before = landed.shop.versions(TABLES)
    landed.shop.land("orders", TWO, "b.csv", [order("o6", gift="yes")])
    landed.shop.run("bronze/orders", TWO)
    with pytest.raises(IncompatibleContract, match=r"order_amount is decimal\(18,2\).*full_refresh"):
        silver.refresh_days(landed.shop.lake, other["silver/orders"], [TWO])
    assert landed.shop.versions(["silver/orders"]) == {"silver/orders": before["silver/orders"]}

    assert start(landed, "full_refresh", other, table="orders").success
    rows = {row["order_id"]: row for row in landed.shop.rows("silver/orders")}
    assert rows["o1"]["order_amount"] == 11.0 and rows["o6"]["gift"] == "yes" and rows["o1"]["gift"] is None


def test_full_refresh_rebuilds_gold_with_another_type(landed: DagsterRunner):
    sales = TABLES["gold/daily_sales"]
    columns = tuple(
        dataclasses.replace(c, type="decimal(30,4)") if c.name == "total_sales" else c for c in sales.columns
    )
    other = TABLES | {sales.key: dataclasses.replace(sales, columns=columns)}
    before = landed.shop.rows(sales.key, "order_date", "total_sales")
    with pytest.raises(IncompatibleContract, match="run the job full_refresh for the table gold/daily_sales"):
        gold.refresh_days(landed.shop.lake, other[sales.key], [ONE])
    done = start(landed, "full_refresh", other, table=sales.key)
    assert done.success
    rows = landed.shop.rows(sales.key, "order_date", "total_sales")
    assert rows == [(day, f"{amount}00") for day, amount in before]
    assert set(materializations(done)[sales.key]) == {day for day, _ in rows}


def test_a_rebuild_that_would_lose_a_blocked_days_rows_changes_nothing(landed: DagsterRunner):
    landed.shop.land("orders", ONE, "a.csv", [order("o1"), order("x", amount="?"), order("y", amount="?")])
    assert not landed.run("landing_to_gold", ONE).success
    before, versions = stored(landed), landed.shop.versions(["silver/orders", "quarantine/orders"])
    done = start(landed, "full_refresh", table="orders")
    assert not done.success and f"would lose the rows of {ONE}" in message(done)
    assert stored(landed) == before
    assert landed.shop.versions(["silver/orders", "quarantine/orders"]) == versions


def test_a_job_takes_no_table_but_those_that_it_can_be_about(desk: DagsterRunner):
    """The launchpad offers them, and begins with one."""
    for job in ("replay", "full_refresh"):
        with pytest.raises(
            dg.DagsterInvalidConfigError, match=f"not in enum type tables_of_{job}_.* got order"
        ):
            start(desk, job, table="order")
    examples = {job.name: job.run_config for job in build_table_jobs(TABLES)}
    assert examples["rollback"] == {"ops": {"rollback_table": {"config": {"table": next(iter(TABLES))}}}}
    done = start(desk, "reset_watermark", table="orders")
    assert "bronze/orders takes landed files and has no watermark" in message(done)


def test_silver_tells_how_far_its_changes_reach_and_a_date_in_the_future_does_not_count(
    landed: DagsterRunner,
):
    (last,) = watermarks.watermarks(landed.shop.lake.root)["silver/orders"]
    assert (last.watermark_value, last.status, last.rows) == ("2026-01-03 00:00:00", "SUCCESS", 7)
    landed.shop.land("orders", THREE, "b.csv", [order("o9", at="2126-01-01T00:00:00Z")])
    landed.shop.orders(THREE)
    last = watermarks.watermarks(landed.shop.lake.root)["silver/orders"][-1]
    assert (last.watermark_value, last.rows) == ("2026-01-03 00:00:00", 7)
