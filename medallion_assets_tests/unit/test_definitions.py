"""What the repository declares, and that loading it starts nothing."""

import re
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from medallion_assets import definitions, example_definitions
from medallion_assets.contracts.table import VERSIONED, History
from medallion_assets.definitions import defs
from medallion_assets.orchestration.assets.checks import checks_of
from medallion_assets.tables import find_tables

GRAPH = defs.resolve_asset_graph()


def test_the_assets_are_these_and_depend_on_each_other_like_this():
    parents = {
        key.to_user_string(): {parent.to_user_string() for parent in GRAPH.get(key).parent_keys}
        for key in GRAPH.get_all_asset_keys()
    }
    assert parents == {
        "bronze/orders": set(),
        "bronze/customers": set(),
        "bronze/products": set(),
        "silver/orders": {"bronze/orders"},
        "silver/customers": {"bronze/customers"},
        "silver/products": {"bronze/products"},
        "gold/dim_customer": {"silver/customers"},
        "gold/dim_product": {"silver/products"},
        "gold/dim_date": set(),
        "gold/fact_orders": {"silver/orders", "gold/dim_customer", "gold/dim_product", "gold/dim_date"},
        "gold/daily_sales": {"gold/fact_orders", "gold/dim_customer", "gold/dim_product"},
        "gold/customer_activity": {"gold/fact_orders"},
        "gold/order_status_funnel": {"gold/fact_orders"},
    }


@pytest.mark.parametrize("module", [definitions, example_definitions])
def test_the_whole_repository_loads_as_a_code_server_loads_it(module):
    module.defs.get_repository_def().load_all_definitions()
    jobs = {job.name for job in module.defs.resolve_all_job_defs()}
    by_hand = {"replay", "full_refresh", "reset_watermark", "reconcile_keys", "rollback"}
    assert jobs == {"__ASSET_JOB", "landing_to_gold", "all_checks", "daily_maintenance"} | by_hand


def test_every_asset_says_what_it_is():
    for key in GRAPH.get_all_asset_keys():
        node = GRAPH.get(key)
        assert node.description and node.owners and node.group_name == key.path[0]
        assert {"spark", "deltalake", key.path[0]} == node.kinds
        assert node.backfill_policy == dg.BackfillPolicy.single_run()
        assert node.code_version
        columns = node.metadata["dagster/column_schema"].columns
        assert all(column.description for column in columns)
        assert {"dagster/uri", "dagster/code_references", "dagster/column_lineage"} <= node.metadata.keys()


def test_lineage_names_columns_that_exist():
    tables = find_tables()
    for table in tables.values():
        for column in table.columns:
            for source in column.lineage:
                layer, name, upstream = source.split(".")
                stored = tables[f"{layer}/{name}"]
                versioned = VERSIONED if isinstance(stored.write, History) else ()
                assert upstream in (*stored.column_names, *versioned), source


def test_the_picture_of_the_star_schema_shows_the_columns_of_the_tables():
    picture = (Path(__file__).parents[2] / "README.md").read_text().split("erDiagram")[1].split("```")[0]
    shown = {
        name: [line.split()[:2] for line in columns.strip().splitlines()]
        for name, columns in re.findall(r"(\w+) {\n(.*?)}", picture, re.S)
    }
    assert shown == {
        table.name: [[column.type.split("(")[0], column.name] for column in table.columns]
        for table in find_tables().values()
        if table.layer == "gold"
    }


def test_every_rule_has_a_check_and_blocking_checks_are_these():
    blocking = {(t.key, c.name) for t in find_tables().values() for c in checks_of(t) if c.blocking}
    each = {"row_conservation", "unique_key", "quarantine_ratio"}
    silver = {(f"silver/{name}", check) for name in ("orders", "customers", "products") for check in each}
    gold = [table for table in find_tables().values() if table.layer == "gold"]
    totals = {(table.key, "reconciles_with_silver") for table in gold}
    cells = {(table.key, "grain_unique") for table in gold if table.name != "fact_orders"}
    assert blocking == silver | totals | cells
    sales = [check.name for check in checks_of(find_tables()["gold/daily_sales"])]
    assert sales == [
        "grain_unique",
        "reconciles_with_silver",
        "outside_calendar",
        "not_negative",
        "day_complete",
    ]
    orders = find_tables()["silver/orders"]
    assert {rule.name for rule in orders.row_rules} <= {check.name for check in checks_of(orders)}


def test_the_calendar_starts_at_the_first_day_and_includes_today():
    script = (
        "from datetime import datetime, timezone;"
        "from medallion_assets.orchestration.partitions import CALENDAR as c;"
        "days = c.get_partition_keys();"
        "assert days[0] == '2020-02-02' and days[-1] == f'{datetime.now(timezone.utc):%Y-%m-%d}', days[-1]"
    )
    subprocess.run([sys.executable, "-c", script], check=True, env={"MEDALLION_FIRST_DAY": "2020-02-02"})


def test_loading_the_definitions_starts_no_session():
    script = (
        "import medallion_assets.definitions;"
        "from pyspark import SparkContext;"
        "from pyspark.sql import SparkSession;"
        "assert SparkContext._active_spark_context is None and SparkContext._gateway is None;"
        "assert SparkSession.getActiveSession() is None"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_two_files_that_declare_one_table_are_named(monkeypatch: pytest.MonkeyPatch):
    from medallion_assets.tables.silver import customers, orders

    monkeypatch.setattr(customers, "TABLE", orders.TABLE)
    with pytest.raises(ValueError, match=r"silver/orders"):
        find_tables()


@pytest.mark.parametrize(("setting", "status"), [("", "STOPPED"), ("on", "RUNNING")])
def test_sensors_are_off_until_somebody_wants_them(setting: str, status: str):
    script = (
        "from medallion_assets.definitions import defs;"
        f"assert {{s.default_status.value for s in defs.sensors}} == {{{status!r}}};"
        "assert {s.name for s in defs.sensors} == "
        "{'landed_files', 'watermarks', 'stale_gold', 'failed_runs', 'alerts'}"
    )
    subprocess.run([sys.executable, "-c", script], check=True, env={"MEDALLION_SENSORS": setting})
