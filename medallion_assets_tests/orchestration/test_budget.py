"""What a small day costs, step by step: no change makes it dearer unseen.

A change that makes a step cheaper lowers its budget here; one that needs more says so in its commit.
"""

from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

from pyspark.sql import SparkSession

from benchmarks.probe import Probe
from benchmarks.sides.ours import watch
from medallion_assets.lakehouse.spark import session
from medallion_assets_tests.support.dagster_runner import DagsterRunner
from medallion_assets_tests.support.sample_lake import order

ONE, TWO = "2026-01-01", "2026-01-02"


class Cost(NamedTuple):
    """Spark jobs; commits of all tables, ledgers and logs; events that Dagster stores."""

    jobs: int
    commits: int
    events: int


CHANGED_DAYS = {
    "bronze.customers": Cost(0, 2, 12),
    "bronze.orders": Cost(2, 5, 14),
    "bronze.products": Cost(0, 2, 12),
    "silver.customers": Cost(0, 1, 35),
    "silver.orders": Cost(11, 6, 77),
    "silver.products": Cost(0, 1, 35),
    "gold.dim_customer": Cost(0, 2, 11),
    "gold.dim_product": Cost(0, 2, 11),
    "gold.fact_orders": Cost(9, 4, 14),
    "gold.daily_sales": Cost(9, 4, 26),
    "gold.daily_sales_on_time": Cost(0, 0, 5),
    "silver.customers_open_days": Cost(0, 0, 5),
    "silver.orders_open_days": Cost(0, 0, 5),
    "silver.products_open_days": Cost(0, 0, 5),
}
"""A hundred orders of a new day, and one of the day before that changed."""
NOTHING_NEW = {
    **CHANGED_DAYS,
    "bronze.orders": Cost(0, 2, 14),
    "silver.orders": Cost(0, 2, 77),
    "gold.fact_orders": Cost(4, 2, 11),
    "gold.daily_sales": Cost(4, 2, 20),
}
"""The new day once more: gold tells what its stored rows are."""


def test_a_small_day_costs_no_more_than_its_budget(desk: DagsterRunner, spark: SparkSession):
    shop = desk.shop
    shop.land(
        "customers", ONE, "c.csv", [{"customer_id": "c1", "customer_segment": "LOW", "updated_at": ONE}]
    )
    shop.land("products", ONE, "p.csv", [{"product_id": "p1", "product_category": "TOYS", "updated_at": ONE}])
    shop.land("orders", ONE, "a.csv", [order(f"o{number}") for number in range(100)])
    costs(desk, spark, ONE)

    new = [order(f"n{number}", day=TWO, at=f"{TWO}T10:00:00Z") for number in range(100)]
    shop.land("orders", TWO, "a.csv", [*new, order("o1", at=f"{TWO}T10:00:00Z", status="RETURNED")])
    assert dearer(costs(desk, spark, TWO), CHANGED_DAYS) == {}
    assert dearer(costs(desk, spark, TWO), NOTHING_NEW) == {}


def dearer(found: dict[str, Cost], budget: dict[str, Cost]) -> dict[str, tuple[Cost, Cost]]:
    """Step -> its cost and its budget."""
    assert found.keys() == budget.keys()
    return {
        step: (cost, budget[step])
        for step, cost in found.items()
        if any(spent > allowed for spent, allowed in zip(cost, budget[step], strict=True))
    }


def costs(desk: DagsterRunner, spark: SparkSession, day: str) -> dict[str, Cost]:
    """Step -> what it cost in a run over the day."""
    probe = Probe(Path(desk.shop.lake.root), lambda: session.jobs_started(spark))
    run_id = str(uuid4())
    desk.instance.add_event_listener(
        run_id, lambda entry: entry.dagster_event and watch(probe, entry.dagster_event)
    )
    assert desk.run("landing_to_gold", day, run_id=run_id).success
    return {
        step: Cost(spent.jobs, spent.commits, spent.events)
        for step, spent in probe.steps.items()
        if step != "the run"
    }
