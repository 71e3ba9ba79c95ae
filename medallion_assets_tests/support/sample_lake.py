"""A landing area and a lake in a temporary folder: land literal rows, run the steps, read the tables with delta-rs."""

import csv
import io
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from deltalake import DeltaTable
from pyspark.sql import SparkSession

from medallion_assets.contracts.table import Table
from medallion_assets.lakehouse import bronze, gold, silver
from medallion_assets.lakehouse.storage.lake import Lake
from medallion_assets.orchestration.partitions import CALENDAR
from medallion_assets.tables import find_tables

TABLES: dict[str, Any] = find_tables()
STEPS = {"bronze": bronze.ingest_days, "silver": silver.refresh_days, "gold": gold.refresh_days}

CALENDAR_DAYS = tuple(day for day in CALENDAR.get_partition_keys() if "2025-12-01" <= day < "2026-07-01")

ORDER = {
    "order_id": "o1",
    "customer_id": "c1",
    "product_id": "p1",
    "order_date": "2026-01-01",
    "order_amount": "10.00",
    "order_status": "COMPLETED",
    "updated_at": "2026-01-01T10:00:00Z",
}


def order(order_id: str, **fields: Any) -> dict[str, Any]:
    """A good order; `at` is short for updated_at and `day` for order_date."""
    short = {"at": "updated_at", "day": "order_date", "amount": "order_amount", "status": "order_status"}
    return ORDER | {"order_id": order_id} | {short.get(name, name): value for name, value in fields.items()}


def delete(order_id: str, at: str) -> dict[str, Any]:
    return {"order_id": order_id, "updated_at": at, "op": "D"}


class SampleLake:
    def __init__(self, spark: SparkSession, root: Path, tables: Mapping[str, Table] = TABLES):
        self.spark, self.root = spark, root
        self.tables: dict[str, Any] = dict(tables)
        self.landing = root / "landing"
        for source in ("orders", "customers", "products"):
            (self.landing / source).mkdir(parents=True)
        self.lake = Lake(spark, str(root / "lake"), str(self.landing), calendar=CALENDAR_DAYS)

    def land(self, source: str, day: str, name: str, data: str | bytes | Sequence[Mapping[str, Any]]) -> Path:
        """Writes one landed file; rows become a CSV file whose header has every field that a row has."""
        path = self.landing / source / f"date={day}" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(
            data if isinstance(data, bytes) else (data if isinstance(data, str) else as_csv(data)).encode()
        )
        return path

    def remove(self, source: str, day: str, name: str) -> None:
        (self.landing / source / f"date={day}" / name).unlink()

    def run(self, key: str, *days: str) -> Any:
        """One step of one table."""
        table = self.tables[key]
        return STEPS[table.layer](self.lake, table, list(days))

    def orders(self, *days: str) -> Any:
        """Bronze and silver orders of these days; returns what silver's step says of them."""
        self.run("bronze/orders", *days)
        return self.run("silver/orders", *days)

    def materialize(self, *days: str, last: str = "gold/daily_sales") -> dict[str, Any]:
        """The table `last`, after all that it is made of and that has a source with files."""
        return {key: self.run(key, *days) for key in self._path(last)}

    def gold(self, *days: str) -> list[str]:
        """Daily sales and what they are made of in gold; returns the days of sales that were computed."""
        done = {key: self.run(key, *days) for key in self._path("gold/daily_sales") if key.startswith("gold")}
        return list(done["gold/daily_sales"].days)

    def _path(self, last: str) -> list[str]:
        landed = {f"bronze/{folder.name}" for folder in self.landing.iterdir() if any(folder.iterdir())}
        wanted = self.tables[last].ancestor_keys
        has_files = {key for key, table in self.tables.items() if {key, *table.ancestor_keys} & landed}
        return [key for key in self.tables if key == last or key in wanted & has_files]

    def table(self, key: str) -> DeltaTable:
        return DeltaTable(self.lake.path(key))

    def rows(self, key: str, *columns: str, order_by: str | None = None) -> list[Any]:
        """The table's rows, sorted: dicts, or tuples of the named columns."""
        if not self.lake.exists(key):
            return []
        found = self.table(key).to_pyarrow_table().to_pylist()
        if columns:
            return sorted((tuple(_text(row[c]) for c in columns) for row in found), key=str)
        return sorted(found, key=lambda row: str(row.get(order_by) if order_by else row))

    def live(self, *columns: str) -> list[Any]:
        """Live silver orders as tuples of text."""
        columns = columns or ("order_id", "order_amount")
        found = [row for row in self.rows("silver/orders") if row["_deleted_at"] is None]
        return sorted(tuple(_text(row[c]) for c in columns) for row in found)

    def files(self, key: str) -> set[str]:
        """Active data files of a table."""
        return set(self.table(key).file_uris()) if self.lake.exists(key) else set()

    def versions(self, keys: Collection[str]) -> dict[str, int]:
        return {key: self.table(key).version() for key in keys if self.lake.exists(key)}


def as_csv(rows: Sequence[Mapping[str, Any]]) -> str:
    names = list(dict.fromkeys(name for row in rows for name in row))
    out = io.StringIO()
    writer = csv.DictWriter(out, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def _text(value: Any) -> Any:
    return value if value is None or isinstance(value, int | float | list) else str(value)
