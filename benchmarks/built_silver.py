"""A silver table of orders of any size, written without its bronze, and changes of it that land."""

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import Column as Expression
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from medallion_assets.contracts.technical_columns import CONTENT_HASH, nanoseconds_of
from medallion_assets.lakehouse.control.file_ledger import IN_PROGRESS, FoldedEntry, record
from medallion_assets.lakehouse.storage.lake import Lake

A_DAY, CHANGES, DAYS_TOUCHED = 100_000, 10_000, 5
FIRST, INGESTED = date(2020, 1, 1), "2026-01-05"
ORDERS = "silver/orders"
BUILT = FoldedEntry(ORDERS, str(FIRST), "orders/built.parquet", 1, "", IN_PROGRESS, 0, 0, 0, 0, 0, 0.0)


@dataclass(frozen=True)
class BuiltSilver:
    """100,000 orders a day. keys: ascending (with time) or random."""

    lake: Lake
    orders: int
    keys: str

    def build(self) -> None:
        """As merges would have left it: one file a day, from one landed file."""
        numbers = self.lake.spark.range(0, self.orders, numPartitions=self.orders // A_DAY)
        self.lake.append(self._rows(numbers), ORDERS, "order_date")
        record(self.lake.root, FoldedEntry, ORDERS, {BUILT.day}, [BUILT])

    def land(self, number: int) -> list[list[str]]:
        """Lands the n-th file of changes, on five days; returns their keys by day."""
        days, each = self.orders // A_DAY, CHANGES // DAYS_TOUCHED
        touched = [(day * (days - 1) // (DAYS_TOUCHED - 1) + number) % days for day in range(DAYS_TOUCHED)]
        numbers = [day * A_DAY + i * (A_DAY // each) + number for day in touched for i in range(each)]
        found = self.lake.spark.createDataFrame([(n,) for n in numbers], "id bigint")
        ids = [
            row.key for row in found.select(self._key(F.col("id")).alias("key"), "id").orderBy("id").collect()
        ]
        columns = {
            "order_id": ids,
            "customer_id": [str(n % 5000) for n in numbers],
            "product_id": [str(n % 999) for n in numbers],
            "order_date": [str(FIRST + timedelta(days=n // A_DAY)) for n in numbers],
            "order_amount": ["11.00"] * len(numbers),
            "order_status": ["COMPLETED"] * len(numbers),
            "updated_at": [f"2026-01-0{number + 1}T00:00:00Z"] * len(numbers),
        }
        folder = Path(self.lake.landing) / "orders" / f"date={INGESTED}"
        folder.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.table(columns), folder / f"changes-{number}.parquet")
        return [ids[i : i + each] for i in range(0, len(ids), each)]

    def _key(self, number: Expression) -> Expression:
        """The key of the n-th order."""
        text = number.cast("string")
        return F.lpad(text, 12, "0") if self.keys == "ascending" else F.md5(text)

    def _rows(self, numbers: DataFrame) -> DataFrame:
        number = F.col("id")
        order_date = F.date_add(F.lit(FIRST), (number / A_DAY).cast("int"))
        return numbers.select(
            self._key(number).alias("order_id"),
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
