"""TPC-H as landed files: order lines become orders, one CSV file a day; customers and parts land with the first day.

What was made once is kept in the cache and used again.
"""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import duckdb

FIRST_DAY = date(2017, 1, 1)
LINES_OF_SCALE_ONE = 6_000_000
TICK_ROWS, CHANGED_DAYS = 500, 5
TPCH_TABLES = ("lineitem", "orders", "customer", "part")


def day(number: int) -> str:
    """The day with this number, from 0 on."""
    return str(FIRST_DAY + timedelta(days=number))


@dataclass(frozen=True)
class Data:
    """Days of order lines, and what lands on the day after them.

    keys: ascending (with time) or random
    changes: changed lines of five days all over the data, in one file
    ticks: files of 500 new lines each
    """

    lines: int
    days: int = 1
    keys: str = "ascending"
    changes: int = 0
    ticks: int = 0

    @property
    def name(self) -> str:
        return f"{self.days}x{self.lines}-{self.keys}-{self.changes}-changes-{self.ticks}-ticks"

    @property
    def all_lines(self) -> int:
        return self.lines * self.days + self.ticks * TICK_ROWS


def landing(data: Data, cache: Path) -> Path:
    """The landed files of the data, made if they are not there yet."""
    made = cache / "landing" / data.name
    if not made.exists():
        _make(data, _tpch(data.all_lines, cache), made)
    return made


def _tpch(lines: int, cache: Path) -> Path:
    """TPC-H as Parquet, with at least that many order lines."""
    scale = max(1, -(-lines * 102 // (LINES_OF_SCALE_ONE // 10)))  # thousandths, two in a hundred to spare
    folder = cache / "tpch" / f"{scale / 1000:.3f}"
    if not folder.exists():
        unfinished = _unfinished(folder)
        command = [str(Path(sys.executable).with_name("tpchgen-cli")), "parquet", "-s", f"{scale / 1000:.3f}"]
        command += ["-T", ",".join(TPCH_TABLES), "-o", str(unfinished)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        unfinished.replace(folder)
    return folder


def _make(data: Data, tpch: Path, made: Path) -> None:
    unfinished = _unfinished(made)
    with duckdb.connect() as base:
        # One thread writes one file a day, in the order of the lines.
        base.execute("SET threads = 1")
        for table in TPCH_TABLES:
            rows = f"read_parquet('{tpch}/{table}.parquet', file_row_number = true)"
            base.execute(f"CREATE VIEW tpch_{table} AS SELECT * FROM {rows}")
        base.execute(_LINES.format(key=_KEYS[data.keys], first=FIRST_DAY, **vars(data)))
        base.execute(
            _copied(_ORDERS.format(where=f"number < {data.lines * data.days}"), unfinished / "orders")
        )
        for name, query, kind in (("customers", _CUSTOMERS, "JSON"), ("products", _PRODUCTS, "PARQUET")):
            folder = unfinished / name / f"date={FIRST_DAY}"
            folder.mkdir(parents=True)
            file = folder / f"{name}.{'jsonl' if kind == 'JSON' else 'parquet'}"
            base.execute(f"COPY ({query.format(first=FIRST_DAY)}) TO '{file}' (FORMAT {kind})")
        for name, query in _after(data).items():
            folder = unfinished / "orders" / f"date={day(data.days)}"
            folder.mkdir(exist_ok=True)
            base.execute(f"COPY (SELECT * EXCLUDE (date) FROM ({query})) TO '{folder}/{name}.csv' (HEADER)")
    unfinished.replace(made)


def _after(data: Data) -> dict[str, str]:
    """File -> query, of what lands on the day after the others."""
    found = {}
    for tick in range(data.ticks):
        first = data.lines * data.days + tick * TICK_ROWS
        found[f"tick-{tick}"] = _ORDERS.format(where=f"number BETWEEN {first} AND {first + TICK_ROWS - 1}")
    if data.changes:
        days = ", ".join(str(n * (data.days - 1) // (CHANGED_DAYS - 1)) for n in range(CHANGED_DAYS))
        step = data.lines * CHANGED_DAYS // data.changes
        where = f"number // {data.lines} IN ({days}) AND number % {data.lines} % {step} = 0"
        changed = f"order_amount + 1 AS order_amount, '{day(data.days)}T00:00:00Z' AS updated_at"
        found["changes"] = f"SELECT * REPLACE ({changed}) FROM ({_ORDERS.format(where=where)})"
    return found


def _copied(query: str, folder: Path) -> str:
    return f"COPY ({query}) TO '{folder}' (FORMAT CSV, HEADER, PARTITION_BY (date), FILENAME_PATTERN 'orders_{{i}}')"


def _unfinished(folder: Path) -> Path:
    """A folder that is renamed when all is in it, so that one that was given up is not taken for whole."""
    unfinished = folder.with_name(f".{folder.name}.{os.getpid()}")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    return unfinished


# Padded, so that the order of the texts is that of the numbers.
_PADDED = "lpad(l_orderkey::VARCHAR, 10, '0') || '-' || l_linenumber"
_KEYS = {"ascending": _PADDED, "random": f"md5({_PADDED})"}
# Lines are spread evenly over their day. Those of ticks belong to the day after the others.
_LINES = """
CREATE VIEW lines AS
SELECT l.file_row_number AS number, {key} AS order_id, o_custkey::VARCHAR AS customer_id,
  l_partkey::VARCHAR AS product_id,
  DATE '{first}' + least(number // {lines}, {days})::INTEGER AS order_date,
  l_extendedprice AS order_amount,
  CASE WHEN l_returnflag = 'R' THEN 'RETURNED' WHEN o_orderstatus = 'P' THEN 'PROCESSING' ELSE 'COMPLETED' END
    AS order_status,
  strftime(order_date + to_seconds(number % {lines} * 86400 // {lines}), '%Y-%m-%dT%H:%M:%SZ') AS updated_at
FROM tpch_lineitem l JOIN tpch_orders ON l_orderkey = o_orderkey
"""
_ORDERS = "SELECT * EXCLUDE (number), order_date AS date FROM lines WHERE {where}"
_CUSTOMERS = """
SELECT c_custkey::VARCHAR AS customer_id, c_mktsegment AS customer_segment, '{first}T00:00:00Z' AS updated_at,
  (20 + c_custkey % 60)::VARCHAR AS age, if(c_custkey % 3 = 0, 'Renter', 'Owner') AS home_ownership,
  if(c_custkey % 2 = 0, 'Married', 'Single') AS marital_status, (1 + c_custkey % 5)::VARCHAR AS household_size,
  c_nationkey::VARCHAR AS household_comp, (c_custkey % 4)::VARCHAR AS kids_count
FROM tpch_customer
"""
_PRODUCTS = """
SELECT p_partkey::VARCHAR AS product_id, regexp_replace(p_type, '^\\w+ ', '') AS product_category,
  '{first}T00:00:00Z' AS updated_at, p_mfgr AS manufacturer_id, p_brand AS brand, p_type AS product_subcategory,
  p_name AS product_type, p_container AS package_size
FROM tpch_part
"""
