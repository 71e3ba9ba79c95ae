"""The cost of 10,000 changes in silver tables of 1, 10 and 40 million orders: it should depend on the changes alone.

There are 100,000 orders a day, and the changes fall on five days all over the table. With keys that ascend with time,
statistics of the files rule out all but a few. With random keys every file may hold a changed key: the worst case.
"""

import argparse
import statistics
import sys
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import DeltaTable
from pyspark.sql import Column as Expression
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from medallion_assets.commands.job_runner import table
from medallion_assets.contracts.silver import SilverTable
from medallion_assets.contracts.technical_columns import CONTENT_HASH, nanoseconds_of
from medallion_assets.lakehouse import bronze, silver
from medallion_assets.lakehouse.control.file_ledger import IN_PROGRESS, FoldedEntry, record
from medallion_assets.lakehouse.silver.checks import blocked_by
from medallion_assets.lakehouse.spark import session
from medallion_assets.lakehouse.storage import transaction_log
from medallion_assets.lakehouse.storage.lake import Lake
from medallion_assets.tables import find_tables

A_DAY, CHANGES, DAYS_TOUCHED = 100_000, 10_000, 5
FIRST, INGESTED = date(2020, 1, 1), "2026-01-05"
ORDERS = "silver/orders"
BUILT = FoldedEntry(ORDERS, str(FIRST), "orders/built.parquet", 1, "", IN_PROGRESS, 0, 0, 0, 0, 0, 0.0)


COLUMNS = (
    "keys",
    "million orders",
    "files",
    "files near",
    "rewritten",
    "written",
    "min s",
    "median s",
    "max s",
)


def main() -> int:
    parser = argparse.ArgumentParser(description="Time 10,000 changes in tables of several sizes.")
    parser.add_argument("--millions", type=int, nargs="+", default=[1, 10, 40], help="orders in the table")
    parser.add_argument(
        "--rounds", type=int, default=3, help="how often each table is changed; the median counts"
    )
    asked = parser.parse_args()
    spark = session.start({"spark.driver.memory": "8g"})
    rows: list[tuple[object, ...]] = []
    for keys in ("ascending", "random"):
        medians: list[float] = []
        for millions in asked.millions:
            row, median = _measured(spark, millions, keys, asked.rounds)
            rows.append(row)
            medians.append(median)
            print(f"{keys} keys, {millions} million orders: {median:.1f} s", flush=True)
        print(
            f"{keys} keys: the slowest table takes {max(medians) / min(medians):.2f} times as long as the fastest"
        )
    print(f"\n{CHANGES:,} changes on {DAYS_TOUCHED} days, validated and merged:")
    print(table(COLUMNS, rows))
    print(
        "files near: files whose statistics do not rule out a changed key; the join with silver reads these."
    )
    return 0


def _measured(spark: SparkSession, millions: int, keys: str, rounds: int) -> tuple[tuple[object, ...], float]:
    """A row of `COLUMNS`, and the median seconds of a round."""
    with tempfile.TemporaryDirectory() as folder:
        lake = Lake(spark, f"{folder}/lake", f"{folder}/landing")
        _build(lake, millions * 10**6, keys)
        files = len(DeltaTable(lake.path(ORDERS)).file_uris())
        spent, near, merged = _rounds(lake, millions * 10**6, keys, rounds)
    seconds = (min(spent), statistics.median(spent), max(spent))
    return (keys, millions, files, near, *merged, *(f"{one:.1f}" for one in seconds)), seconds[1]


def _key(number: Expression, keys: str) -> Expression:
    """The key of the n-th order."""
    return F.lpad(number.cast("string"), 12, "0") if keys == "ascending" else F.md5(number.cast("string"))


def _build(lake: Lake, orders: int, keys: str) -> None:
    """Silver as merges would have left it: one file a day, from one landed file."""
    number, days = F.col("id"), orders // A_DAY
    order_date = F.date_add(F.lit(FIRST), (number / A_DAY).cast("int"))
    rows = lake.spark.range(0, orders, numPartitions=days).select(
        _key(number, keys).alias("order_id"),
        (number % 5000).cast("string").alias("customer_id"),
        (number % 999).cast("string").alias("product_id"),
        order_date.alias("order_date"),
        F.lit("10.00").cast("decimal(18,2)").alias("order_amount"),
        F.lit("COMPLETED").alias("order_status"),
        order_date.cast("timestamp").alias("updated_at"),
        F.struct(
            order_date.cast("timestamp").alias("updated_at"),
            F.lit(0).alias(nanoseconds_of("updated_at")),
            F.lit(False).alias("is_delete"),
            F.xxhash64(number).alias(CONTENT_HASH),
        ).alias("_sequence"),
        F.lit(None).cast("timestamp").alias("_deleted_at"),
        order_date.alias("_ingestion_date"),
        F.lit(BUILT.path).alias("_source_file"),
        F.now().alias("_silver_processed_timestamp"),
        F.lit(100.0).alias("_data_quality_score"),
    )
    lake.append(rows, ORDERS, "order_date")
    record(lake.root, FoldedEntry, ORDERS, {BUILT.day}, [BUILT])


def _rounds(lake: Lake, orders: int, keys: str, rounds: int) -> tuple[list[float], int, tuple[int, int]]:
    """Seconds of each round; of the last one the files near the changes, and the files rewritten and written."""
    silver_orders, spent, near, merged = find_tables()[ORDERS], [], 0, (0, 0)
    assert isinstance(silver_orders, SilverTable)
    for number in range(rounds + 1):  # the first one warms up and is not counted
        changed = _land(lake, orders, keys, number)
        bronze.ingest_days(lake, silver_orders.inputs[0], [INGESTED])
        near = _files_near(lake, changed)
        began = time.monotonic()
        day = silver.refresh_days(lake, silver_orders, [INGESTED])[INGESTED]
        spent.append(time.monotonic() - began)
        assert blocked_by(silver_orders, day) is None
        counts = transaction_log.commit_counts(lake.root, ORDERS)
        merged = (counts["numTargetFilesRemoved"], counts["numTargetFilesAdded"])
    return spent[1:], near, merged


def _land(lake: Lake, orders: int, keys: str, number: int) -> list[list[str]]:
    """Lands a file of changes on five days; returns their keys by day."""
    days, each = orders // A_DAY, CHANGES // DAYS_TOUCHED
    touched = [(day * (days - 1) // (DAYS_TOUCHED - 1) + number) % days for day in range(DAYS_TOUCHED)]
    numbers = [day * A_DAY + i * (A_DAY // each) + number for day in touched for i in range(each)]
    found = lake.spark.createDataFrame([(n,) for n in numbers], "id bigint")
    rows = found.select(_key(F.col("id"), keys).alias("order_id"), "id").orderBy("id").collect()
    folder = Path(lake.landing) / "orders" / f"date={INGESTED}"
    folder.mkdir(parents=True, exist_ok=True)
    columns = {
        "order_id": [row.order_id for row in rows],
        "customer_id": [str(n % 5000) for n in numbers],
        "product_id": [str(n % 999) for n in numbers],
        "order_date": [str(FIRST + timedelta(days=n // A_DAY)) for n in numbers],
        "order_amount": ["11.00"] * len(numbers),
        "order_status": ["COMPLETED"] * len(numbers),
        "updated_at": [f"2026-01-0{number + 1}T00:00:00Z"] * len(numbers),
    }
    pq.write_table(pa.table(columns), folder / f"changes-{number}.parquet")
    ids = columns["order_id"]
    return [ids[i : i + each] for i in range(0, len(ids), each)]


def _files_near(lake: Lake, changed: list[list[str]]) -> int:
    """How many files have a key range that overlaps the changed keys of a day."""
    ranges = [(min(keys), max(keys)) for keys in changed]
    actions = pa.table(DeltaTable(lake.path(ORDERS)).get_add_actions(flatten=True))
    bounds = zip(actions["min.order_id"].to_pylist(), actions["max.order_id"].to_pylist(), strict=True)
    return sum(any(low <= greatest and least <= high for low, high in ranges) for least, greatest in bounds)


if __name__ == "__main__":
    sys.exit(main())
