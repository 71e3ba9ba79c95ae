"""Materializes the landed days in one run, and prints the resulting tables, sales and checks."""

import argparse
import sys
import time
from collections import Counter
from datetime import date, timedelta

import dagster as dg
import pyarrow as pa
from deltalake import DeltaTable, QueryBuilder

from medallion_assets.commands.demo_data import FIRST_DAY
from medallion_assets.commands.job_runner import (
    StepClock,
    dagster_instance,
    evaluations,
    failures,
    run,
)
from medallion_assets.commands.text_table import table
from medallion_assets.lakehouse.storage.lake import table_path
from medallion_assets.orchestration.resources import LakehouseResource
from medallion_assets.tables import find_tables

LOOK = """
Look at it:
  make dev                    the UI on http://127.0.0.1:3000; start at Catalog: columns, lineage, days, checks
  make report                 a page of outcomes, rows, quality and seconds: open build/report.html
  make sql                    a prompt of SQL; .tables lists the tables
  make checks DAY={day}  the checks of a day once more, without writing"""


def main() -> int:
    parser = argparse.ArgumentParser(description="Materialize the landed days in one run.")
    parser.add_argument("--days", type=int, default=7, help="how many days, from the first day of the data")
    days = parser.parse_args().days
    first, last = str(FIRST_DAY), str(FIRST_DAY + timedelta(days=days - 1))
    print(f"One run over {first} to {last}, through all layers. Spark takes some seconds to start.")
    clock, began = StepClock(), time.monotonic()
    with dagster_instance() as instance:
        result = run(instance, "landing_to_gold", first, last, on_event=clock)
    seconds = time.monotonic() - began
    for failure in failures(result):
        print(f"\nFailed: {failure}")
    summary(LakehouseResource(), date.fromisoformat(last), evaluations(result))
    layers = ", ".join(f"{layer} {spent:.1f} s" for layer, spent in clock.layers().items())
    print(f"\nSeconds: {layers}; the whole run {seconds:.1f} s, with Spark's start.")
    print(LOOK.format(day=last))
    return 0 if result.success else 1


def summary(lakehouse: LakehouseResource, last: date, checks: list[dg.AssetCheckEvaluation]) -> None:
    root = lakehouse.lake_root
    keys = list(find_tables())
    keys += [key.replace("silver", "quarantine") for key in keys if key.startswith("silver/")]
    there = [key for key in keys if DeltaTable.is_deltatable(table_path(root, key))]
    rows = [(key.replace("/", "."), DeltaTable(table_path(root, key)).count()) for key in there]
    print("\nRows in the lake (" + root + "):")
    print(table(("table", "rows"), [*rows, *((k.replace("/", "."), 0) for k in keys if k not in there)]))
    if "gold/daily_sales" not in there:
        return
    print(f"\ngold.daily_sales on {last}, the ten largest rows:")
    columns = (
        "customer_segment, product_category, order_count, total_sales, avg_order_value, unique_customers"
    )
    gold = QueryBuilder().register("sales", DeltaTable(table_path(root, "gold/daily_sales")))
    query = f"SELECT {columns} FROM sales WHERE order_date = DATE '{last}' ORDER BY total_sales DESC LIMIT 10"
    found = pa.table(gold.execute(query)).to_pylist()
    print(table(columns.split(", "), [tuple(row.values()) for row in found]))
    counted = Counter((c.check_name, "passed" if c.passed else c.severity.value) for c in checks)
    bad = sorted((name, state, count) for (name, state), count in counted.items() if state != "passed")
    print(f"\nChecks: {sum(counted.values())} results, {sum(c.passed for c in checks)} passed.")
    if bad:
        print(table(("check", "result", "days"), bad))


if __name__ == "__main__":
    sys.exit(main())
