"""The cost of 10,000 changes in silver tables of 1, 10 and 40 million orders: it should depend on the changes alone.

There are 100,000 orders a day, and the changes fall on five days all over the table. With keys that ascend with time,
statistics of the files rule out all but a few. With random keys every file may hold a changed key: the worst case.
The tables are written directly, not loaded, so that 40 million orders take minutes. Gold is left out.
"""

import argparse
import statistics
import sys
import tempfile
import time

import pyarrow as pa
from deltalake import DeltaTable
from pyspark.sql import SparkSession

from benchmarks.built_silver import CHANGES, DAYS_TOUCHED, INGESTED, ORDERS, BuiltSilver
from medallion_assets.commands.text_table import table
from medallion_assets.contracts.silver import SilverTable
from medallion_assets.lakehouse import bronze, silver
from medallion_assets.lakehouse.silver.checks import blocked_by
from medallion_assets.lakehouse.spark import session
from medallion_assets.lakehouse.storage import transaction_log
from medallion_assets.lakehouse.storage.lake import Lake
from medallion_assets.tables import find_tables

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
    parser.add_argument("--rounds", type=int, default=3, help="how often each table is changed")
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
        ratio = max(medians) / min(medians)
        print(f"{keys} keys: the slowest table takes {ratio:.2f} times as long as the fastest")
    print(f"\n{CHANGES:,} changes on {DAYS_TOUCHED} days, validated and merged:")
    print(table(COLUMNS, rows))
    print("files near: files whose statistics do not rule out a changed key.")
    return 0


def _measured(spark: SparkSession, millions: int, keys: str, rounds: int) -> tuple[tuple[object, ...], float]:
    """A row of `COLUMNS`, and the median seconds of a round."""
    with tempfile.TemporaryDirectory() as folder:
        built = BuiltSilver(Lake(spark, f"{folder}/lake", f"{folder}/landing"), millions * 10**6, keys)
        built.build()
        files = len(DeltaTable(built.lake.path(ORDERS)).file_uris())
        spent, near, merged = _rounds(built, rounds)
    seconds = (min(spent), statistics.median(spent), max(spent))
    return (keys, millions, files, near, *merged, *(f"{one:.1f}" for one in seconds)), seconds[1]


def _rounds(built: BuiltSilver, rounds: int) -> tuple[list[float], int, tuple[int, int]]:
    """Seconds of each round; of the last one the files near the changes, and the files rewritten and written."""
    silver_orders, lake, spent, near, merged = find_tables()[ORDERS], built.lake, [], 0, (0, 0)
    assert isinstance(silver_orders, SilverTable)
    for number in range(rounds + 1):  # the first one warms up and is not counted
        changed = built.land(number)
        bronze.ingest_days(lake, silver_orders.inputs[0], [INGESTED])
        near = _files_near(lake, changed)
        began = time.monotonic()
        day = silver.refresh_days(lake, silver_orders, [INGESTED])[INGESTED]
        spent.append(time.monotonic() - began)
        assert blocked_by(silver_orders, day) is None
        counts = transaction_log.commit_counts(lake.root, ORDERS)
        merged = (counts["numTargetFilesRemoved"], counts["numTargetFilesAdded"])
    return spent[1:], near, merged


def _files_near(lake: Lake, changed: list[list[str]]) -> int:
    """How many files have a key range that overlaps the changed keys of a day."""
    ranges = [(min(keys), max(keys)) for keys in changed]
    actions = pa.table(DeltaTable(lake.path(ORDERS)).get_add_actions(flatten=True))
    bounds = zip(actions["min.order_id"].to_pylist(), actions["max.order_id"].to_pylist(), strict=True)
    return sum(any(low <= greatest and least <= high for low, high in ranges) for least, greatest in bounds)


if __name__ == "__main__":
    sys.exit(main())
