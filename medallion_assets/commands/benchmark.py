"""The cost of a run compared with a bare Spark script: seconds, Spark jobs and commits per layer.

The bare script does the same three steps on the same files (land, clean and deduplicate, aggregate) without rules,
ledgers, checks or incremental loads. Each side runs in its own process, in turn, so that neither warms up the other;
the start of a session is not counted.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import dagster as dg
from deltalake import DeltaTable
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from medallion_assets.commands.demo_data import FIRST_DAY, land
from medallion_assets.commands.job_runner import run, table
from medallion_assets.lakehouse.spark import session

LAYERS = ("bronze", "silver", "gold")
Costs = dict[str, tuple[float, int, int]]
"""Layer -> seconds, Spark jobs, commits."""


def main() -> int:
    parser = argparse.ArgumentParser(description="Compare a run with a bare Spark script.")
    parser.add_argument("--days", type=int, default=31)
    parser.add_argument("--rounds", type=int, default=1, help="how often each side runs")
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.side:
        print(json.dumps(SIDES[asked.side](asked.days)))
        return 0
    print(
        f"{asked.days} days of real orders; each side in a process of its own, {asked.rounds} time(s) in turn."
    )
    rows = []
    for number in range(1, asked.rounds + 1):
        for side in SIDES:
            found = _measured(side, asked.days)
            rows += [
                (number, side, layer, round(s, 1), jobs, commits)
                for layer, (s, jobs, commits) in found.items()
            ]
            rows.append(
                (number, side, "all", *(round(sum(f[i] for f in found.values()), 1) for i in range(3)))
            )
    print(table(("round", "side", "layer", "seconds", "jobs", "commits"), rows))
    return 0


def _measured(side: str, days: int) -> Costs:
    with tempfile.TemporaryDirectory() as folder:
        places = {"MEDALLION_LANDING": f"{folder}/landing", "MEDALLION_LAKEHOUSE": f"{folder}/lake"}
        land(Path(places["MEDALLION_LANDING"]), FIRST_DAY, days)
        command = [sys.executable, "-m", __spec__.name, "--side", side, "--days", str(days)]
        done = subprocess.run(command, env=os.environ | places, stdout=subprocess.PIPE, text=True, check=True)
    return {layer: tuple(figures) for layer, figures in json.loads(done.stdout.splitlines()[-1]).items()}


def ours(days: int) -> Costs:
    """A run of this repository, in Dagster, with its checks."""
    spark = session.start()
    began: dict[str, tuple[float, int]] = {}
    found: dict[str, list[float]] = {layer: [0.0, 0] for layer in LAYERS}

    def measure(event: dg.DagsterEvent) -> None:
        step = event.step_key or ""
        if event.event_type is dg.DagsterEventType.STEP_START:
            began[step] = (time.monotonic(), session.jobs_started(spark))
        if event.event_type is dg.DagsterEventType.STEP_SUCCESS:
            total = found[step.split("__")[0]]
            total[0] += time.monotonic() - began[step][0]
            total[1] += session.jobs_started(spark) - began[step][1]

    with dg.DagsterInstance.ephemeral() as instance:
        last = str(FIRST_DAY + timedelta(days=days - 1))
        if not run(instance, "landing_to_gold", str(FIRST_DAY), last, measure).success:
            raise RuntimeError("the run failed; see it with `make demo`")
    lake = Path(os.environ["MEDALLION_LAKEHOUSE"])
    return {layer: (found[layer][0], int(found[layer][1]), _commits(lake / layer)) for layer in LAYERS}


def bare(days: int) -> Costs:
    """The three steps as a plain script does them."""
    spark = session.start()
    landing, lake = Path(os.environ["MEDALLION_LANDING"]), Path(os.environ["MEDALLION_LAKEHOUSE"])
    steps: dict[str, Callable[[SparkSession, Path, Path], None]] = {
        "bronze": _bare_bronze,
        "silver": _bare_silver,
        "gold": _bare_gold,
    }
    found: Costs = {}
    for layer, step in steps.items():
        began, jobs = time.monotonic(), session.jobs_started(spark)
        step(spark, landing, lake)
        seconds = time.monotonic() - began
        found[layer] = (seconds, session.jobs_started(spark) - jobs, _commits(lake / layer))
    return found


def _bare_bronze(spark: SparkSession, landing: Path, lake: Path) -> None:
    orders = spark.read.option("header", True).csv(f"{landing}/orders")
    orders.write.format("delta").partitionBy("date").save(f"{lake}/bronze/orders")
    spark.read.json(f"{landing}/customers").write.format("delta").save(f"{lake}/bronze/customers")
    spark.read.parquet(f"{landing}/products").write.format("delta").save(f"{lake}/bronze/products")


def _bare_silver(spark: SparkSession, landing: Path, lake: Path) -> None:
    orders = spark.read.format("delta").load(f"{lake}/bronze/orders").dropDuplicates(["order_id"])
    typed = orders.withColumns(
        {
            "order_date": F.to_date("order_date"),
            "order_amount": F.col("order_amount").cast("decimal(18,2)"),
            "updated_at": F.to_timestamp("updated_at"),
        }
    )
    typed.write.format("delta").partitionBy("order_date").save(f"{lake}/silver/orders")
    for name, key in (("customers", "customer_id"), ("products", "product_id")):
        rows = spark.read.format("delta").load(f"{lake}/bronze/{name}").dropDuplicates([key])
        rows.write.format("delta").save(f"{lake}/silver/{name}")


def _bare_gold(spark: SparkSession, landing: Path, lake: Path) -> None:
    orders, customers, products = (
        spark.read.format("delta").load(f"{lake}/silver/{name}")
        for name in ("orders", "customers", "products")
    )
    joined = orders.join(customers, "customer_id", "left").join(products, "product_id", "left")
    sales = joined.where("order_status = 'COMPLETED'").groupBy(
        "order_date", "customer_segment", "product_category"
    )
    sales.agg(
        F.count("*"), F.sum("order_amount").alias("total_sales"), F.count_distinct("customer_id").alias("c")
    ).select("order_date", "customer_segment", "product_category", "total_sales", "c").write.format(
        "delta"
    ).partitionBy("order_date").save(f"{lake}/gold/daily_sales")


def _commits(layer: Path) -> int:
    return sum(
        DeltaTable(str(path)).version() + 1 for path in layer.iterdir() if DeltaTable.is_deltatable(str(path))
    )


SIDES: dict[str, Callable[[int], Costs]] = {"ours": ours, "bare": bare}

if __name__ == "__main__":
    sys.exit(main())
