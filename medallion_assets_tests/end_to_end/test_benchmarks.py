"""The benchmarks run, count what they say they count, and compare sides that make the same tables."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
LINES = 2_000


@pytest.fixture(scope="module")
def figures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Of a small case, as the command writes them."""
    folder = tmp_path_factory.mktemp("benchmarks")
    command = [sys.executable, "-m", "benchmarks", "--quick", "--cases", "cold", "--lines", str(LINES)]
    command += [
        "--sides",
        "ours,bare,duckdb",
        "--json",
        f"{folder}/figures.json",
        "--cache",
        f"{folder}/cache",
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "All cases:" in done.stdout and "gold.fact_orders" in done.stdout
    return json.loads((folder / "figures.json").read_text())


@pytest.mark.long
def test_the_figures_name_machine_and_versions(figures: dict[str, Any]):
    assert figures["machine"]["cores"] >= 1 and figures["machine"]["memory_gb"] > 0
    assert {"python", "java", "pyspark", "delta-spark", "dagster", "deltalake", "duckdb"} <= set(
        figures["versions"]
    )
    assert set(figures["cases"]) == {"cold"}


@pytest.mark.long
def test_the_sides_make_the_same_tables(figures: dict[str, Any]):
    medians = figures["cases"]["cold"]["medians"]
    assert set(medians) == {"ours", "bare", "duckdb"}
    facts = [side["totals"]["gold/fact_orders"] for side in medians.values()]
    assert facts[0][0] == str(LINES) and float(facts[0][1]) > 0
    assert all(side["totals"] == medians["ours"]["totals"] for side in medians.values())


@pytest.mark.long
def test_each_step_has_its_costs(figures: dict[str, Any]):
    ours, bare, duck = (figures["cases"]["cold"]["rounds"][0][side] for side in ("ours", "bare", "duckdb"))
    beside = {
        "the run",
        "gold.daily_sales_on_time",
        *(f"silver.{name}_open_days" for name in ("customers", "orders", "products")),
    }
    assert set(bare["steps"]) == set(ours["steps"]) - beside == set(duck["steps"])
    for side in (ours, bare):
        facts = side["steps"]["gold.fact_orders"]
        assert facts["seconds"] > 0 and facts["jobs"] > 0 and facts["calls"] > 0 and facts["commits"] > 0
        assert set(side["bytes"]) == set(duck["bytes"]) and min(side["bytes"].values()) > 0
    assert ours["steps"]["gold.fact_orders"]["events"] > 0 and ours["memory"] > duck["memory"] > 0
