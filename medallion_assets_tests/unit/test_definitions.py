"""What the repository declares, and that loading it starts nothing."""

import subprocess
import sys

import dagster as dg
import pytest

from medallion_assets import definitions, example_definitions
from medallion_assets.contracts.declaration import DeclarationError
from medallion_assets.contracts.gold import GoldTable
from medallion_assets.contracts.silver import SilverTable
from medallion_assets.definitions import defs
from medallion_assets.lakehouse.control.catalog import CONTROL_TABLES
from medallion_assets.orchestration.assets.checks import checks_of
from medallion_assets.tables import find_tables

GRAPH = defs.resolve_asset_graph()
TABLES = find_tables()
REPORT = dg.AssetKey("report")
ASSETS = GRAPH.executable_asset_keys - {REPORT}


def test_every_table_is_an_asset_that_depends_on_what_it_is_made_of():
    parents = {
        key.to_user_string(): {parent.to_user_string() for parent in GRAPH.get(key).parent_keys}
        for key in ASSETS
    }
    assert parents == {key: {other.key for other in table.upstream} for key, table in TABLES.items()}
    layers = {key: {parent.split("/")[0] for parent in found} for key, found in parents.items()}
    assert {layer for key, found in layers.items() if key.startswith("bronze") for layer in found} == set()
    assert {layer for key, found in layers.items() if key.startswith("silver") for layer in found} == {
        "bronze"
    }


@pytest.mark.parametrize("module", [definitions, example_definitions])
def test_the_whole_repository_loads_as_a_code_server_loads_it(module):
    module.defs.get_repository_def().load_all_definitions()
    jobs = {job.name for job in module.defs.resolve_all_job_defs()}
    by_hand = {"replay", "full_refresh", "reset_watermark", "reconcile_keys", "rollback"}
    assert jobs == {"__ASSET_JOB", "landing_to_gold", "all_checks", "daily_maintenance"} | by_hand


def test_the_report_is_an_asset_of_its_own_that_no_job_makes():
    report = GRAPH.get(REPORT)
    assert (report.group_name, report.parent_keys, report.is_partitioned) == ("report", set(), False)
    assert report.automation_condition is None
    jobs = {job.name: job.asset_layer for job in defs.resolve_all_job_defs() if job.name != "__ASSET_JOB"}
    assert {name for name, layer in jobs.items() if REPORT in layer.executable_asset_keys} == set()
    assert jobs["landing_to_gold"].executable_asset_keys == ASSETS
    assert jobs["landing_to_gold"].asset_graph.asset_check_keys == GRAPH.asset_check_keys


def test_every_asset_says_what_it_is():
    for key in ASSETS:
        node = GRAPH.get(key)
        assert node.description and node.owners and node.group_name == key.path[0]
        assert {"spark", "deltalake", key.path[0]} == node.kinds
        assert node.backfill_policy == dg.BackfillPolicy.single_run()
        assert node.code_version
        names = [column.name for column in node.metadata["dagster/column_schema"].columns]
        assert names == [column.name for column in TABLES[key.to_user_string()].stored_columns]
        assert {"dagster/uri", "dagster/code_references", "dagster/column_lineage"} <= node.metadata.keys()


def test_what_no_file_declares_is_found_in_the_catalog_and_never_run():
    kept = GRAPH.get_all_asset_keys() - GRAPH.executable_asset_keys
    quarantined = {f"quarantine/{table.name}" for table in TABLES.values() if table.layer == "silver"}
    assert {key.to_user_string() for key in kept} == quarantined | {table.key for table in CONTROL_TABLES}
    beside = GRAPH.get(dg.AssetKey(["quarantine", "orders"]))
    assert beside.parent_keys == {dg.AssetKey(["silver", "orders"])}
    for key in kept:
        columns = GRAPH.get(key).metadata["dagster/column_schema"].columns
        assert GRAPH.get(key).description and len(columns) > 2


def test_a_column_is_described_by_itself_or_by_the_one_it_is_a_copy_of():
    for table in TABLES.values():
        schema = GRAPH.get(dg.AssetKey([table.layer, table.name])).metadata["dagster/column_schema"]
        shown = {column.name: column.description for column in schema.columns}
        assert all(shown[c.name].startswith(table.description_of(c)) for c in table.columns)
        assert all(shown[column.name] for column in table.technical_columns)


def test_a_column_says_whether_it_is_key_whether_it_may_be_missing_and_where_it_comes_from():
    schema = GRAPH.get(dg.AssetKey(["silver", "orders"])).metadata["dagster/column_schema"]
    columns = {column.name: column for column in schema.columns}
    assert columns["order_id"].constraints == dg.TableColumnConstraints(nullable=False, other=["key"])
    assert columns["customer_id"].constraints == dg.TableColumnConstraints()
    assert columns["customer_id"].description.endswith("(from bronze.orders.customer_id)")
    schema = GRAPH.get(dg.AssetKey(["gold", "daily_sales"])).metadata["dagster/column_schema"]
    keys = [column.name for column in schema.columns if "key" in column.constraints.other]
    assert keys == ["order_date", "customer_segment", "product_category"]


def test_lineage_names_columns_that_exist():
    for table in TABLES.values():
        for column in table.columns:
            for source in table.lineage_of(column):
                layer, name, upstream = source.split(".", 2)
                assert upstream in TABLES[f"{layer}/{name}"].types, source


def test_the_checks_of_a_table_follow_from_its_contract():
    for table in TABLES.values():
        checks = {check.name: check.blocking for check in checks_of(table)}
        blocking = {name for name, is_blocking in checks.items() if is_blocking} - {"has_data"}
        if isinstance(table, SilverTable):
            unique = {"unique_key"} if table.write.has_keys else set()
            assert blocking == {"row_conservation", "quarantine_ratio"} | unique
            assert {rule.name for rule in table.row_rules} <= checks.keys()
        elif isinstance(table, GoldTable) and not table.write.is_extract:
            assert blocking == {"reconciles_with_silver"} | ({"grain_unique"} if table.grain else set())
            assert ("outside_calendar" in checks) != table.write.replaces_whole
            assert ("not_negative" in checks) == bool(table.measures)
            assert ("day_complete" in checks) == (bool(table.measures) and not table.write.replaces_whole)
        else:
            assert blocking == set()


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
    with pytest.raises(DeclarationError, match=r"silver/orders"):
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
