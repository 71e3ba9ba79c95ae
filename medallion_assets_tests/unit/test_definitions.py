"""What the repository declares, and that loading it starts nothing."""

import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from medallion_assets import definitions, example_definitions, tables
from medallion_assets.contracts.table import VERSIONED, Extract, History, Upsert
from medallion_assets.definitions import defs
from medallion_assets.orchestration.assets.checks import checks_of
from medallion_assets.tables import find_tables

GRAPH = defs.resolve_asset_graph()


def test_every_table_file_is_an_asset_that_depends_on_its_inputs_and_joins():
    parents = {
        key.to_user_string(): {parent.to_user_string() for parent in GRAPH.get(key).parent_keys}
        for key in GRAPH.get_all_asset_keys()
    }
    folder = Path(tables.__file__).parent
    files = [file for layer in ("bronze", "silver", "gold") for file in (folder / layer).glob("[!_]*.py")]
    assert parents.keys() == {f"{file.parent.name}/{file.stem}" for file in files}
    for key, table in find_tables().items():
        assert parents[key] >= {other.key for other in (*table.inputs, *(join.table for join in table.joins))}
        assert parents[key] == {other.key for other in table.upstream}


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


def test_every_rule_has_a_check_and_blocking_checks_are_these():
    blocking = {(t.key, c.name) for t in find_tables().values() for c in checks_of(t) if c.blocking}
    of_layer = {
        layer: [t for t in find_tables().values() if t.layer == layer] for layer in ("silver", "gold")
    }
    silver = {
        (t.key, check) for t in of_layer["silver"] for check in ("row_conservation", "quarantine_ratio")
    }
    keys = {(t.key, "unique_key") for t in of_layer["silver"] if isinstance(t.write, Upsert)}
    totals = {(t.key, "reconciles_with_silver") for t in of_layer["gold"] if not isinstance(t.write, Extract)}
    cells = {(t.key, "grain_unique") for t in of_layer["gold"] if t.grain}
    has_data = {(t.key, "has_data") for t in find_tables().values() if t.expects_data}
    assert blocking == silver | keys | totals | cells | has_data
    sales = [check.name for check in checks_of(find_tables()["gold/daily_sales"])]
    assert sales == [
        "reconciles_with_silver",
        "outside_calendar",
        "grain_unique",
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
