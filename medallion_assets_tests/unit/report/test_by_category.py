"""Which gold tables are shown by day and category: the contracts say so, and no table is named in the code."""

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
from deltalake import write_deltalake

from medallion_assets.report.by_category import breakdowns, chief_measure, dimensions
from medallion_assets.tables import find_tables

TABLES: dict[str, Any] = find_tables()  # of their own kinds
SALES = TABLES["gold/daily_sales"]
DAYS = ["2026-01-01", "2026-01-02"]


def test_a_table_by_day_is_shown_by_its_first_amount_and_its_columns_of_text():
    gold = {key: table for key, table in TABLES.items() if table.layer == "gold"}
    shown = {
        key: (chief, dimensions(table)) for key, table in gold.items() if (chief := chief_measure(table))
    }
    assert shown == {
        "gold/daily_sales": ("total_sales", ["customer_segment", "product_category"]),
        "gold/order_status_funnel": ("total_amount", ["order_status"]),
    }


def test_sums_are_those_of_the_days_alone(tmp_path: Path):
    rows = [
        (date(2025, 12, 31), "A", "x", "9.00"),
        (date(2026, 1, 1), "A", "x", "1.00"),
        (date(2026, 1, 1), "A", "y", "2.50"),
        (date(2026, 1, 2), None, "x", "4.00"),
    ]
    names = ("order_date", "customer_segment", "product_category", "total_sales")
    columns = dict(zip(names, zip(*rows, strict=True), strict=True))
    columns["total_sales"] = tuple(Decimal(text) for text in columns["total_sales"])  # type: ignore[arg-type]
    write_deltalake(tmp_path / "gold" / "daily_sales", pa.table(columns), partition_by=["order_date"])
    found = {one.dimension: one.series for one in breakdowns(str(tmp_path), [SALES], DAYS)}
    assert found == {
        "customer_segment": {"(none)": [0, 4.0], "A": [3.5, 0]},
        "product_category": {"x": [1.0, 4.0], "y": [2.5, 0]},
    }


def test_a_lake_without_gold_shows_none(tmp_path: Path):
    assert [*breakdowns(str(tmp_path), TABLES.values(), DAYS)] == []
