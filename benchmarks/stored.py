"""What a side left in its lake: bytes of each table, and the totals by which sides are compared."""

from pathlib import Path

import pyarrow as pa
from deltalake import DeltaTable, QueryBuilder

COMPARED = {
    "silver/orders": ("count(*)", "sum(order_amount)"),
    "gold/fact_orders": ("count(*)", "sum(order_amount)"),
    "gold/daily_sales": ("count(*)", "sum(total_sales)", "sum(order_count)", "sum(unique_customers)"),
    "gold/order_status_funnel": ("count(*)", "sum(total_amount)"),
    "gold/customer_activity": ("count(*)", "sum(monetary_value)", "sum(frequency)", "sum(recency_days)"),
    "gold/dim_customer": ("count(*)",),
    "gold/dim_product": ("count(*)",),
    "gold/dim_date": ("count(*)",),
}


def table_bytes(lake: Path) -> dict[str, int]:
    """Table -> bytes of its live files, of bronze, silver and gold."""
    paths = sorted(path for layer in ("bronze", "silver", "gold") for path in (lake / layer).glob("*"))
    return {
        f"{path.parent.name}/{path.name}": _bytes(path)
        for path in paths
        if DeltaTable.is_deltatable(str(path))
    }


def totals(lake: Path) -> dict[str, list[str]]:
    """Table -> its rows and sums, as texts: amounts are exact."""
    return {
        key: _totals(lake / key, columns)
        for key, columns in COMPARED.items()
        if DeltaTable.is_deltatable(str(lake / key))
    }


def _bytes(path: Path) -> int:
    actions = pa.table(DeltaTable(str(path)).get_add_actions(flatten=True))
    return sum(actions["size_bytes"].to_pylist())


def _totals(path: Path, columns: tuple[str, ...]) -> list[str]:
    found = QueryBuilder().register("t", DeltaTable(str(path)))
    row = pa.table(found.execute(f"SELECT {', '.join(columns)} FROM t")).to_pylist()[0]
    return [str(value) for value in row.values()]
