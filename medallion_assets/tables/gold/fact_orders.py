"""Gold order facts: one row for each live order line, with the keys of what describes it."""

from medallion_assets.contracts import Column, GoldTable, Join, ReplaceDay, Total
from medallion_assets.tables.gold import dim_customer, dim_date, dim_product
from medallion_assets.tables.silver import orders

TABLE = GoldTable(
    name="fact_orders",
    description="One row for each live order line; its customer is the version valid at the start of its day.",
    inputs=(orders.TABLE,),
    joins=(
        Join(dim_customer.TABLE, on="customer_id", columns=("customer_key",), at="order_date"),
        Join(dim_product.TABLE, on="product_id", columns=("product_key",)),
        Join(dim_date.TABLE, on="order_date", columns=("date_key",), key="date"),
    ),
    totals=(
        Total("order_count", rows="count(order_id)", facts="count(order_id)"),
        Total("order_amount", rows="sum(order_amount)", facts="sum(order_amount)"),
    ),
    write=ReplaceDay("order_date"),
    partition_by="order_date",
    sort_by=("customer_id",),
    columns=(
        Column("order_id"),
        Column("order_date", "date"),
        Column("date_key", "int", "-1 outside the calendar"),
        Column("customer_key", description="Version of the customer"),
        Column("product_key", description="Product"),
        Column("customer_id"),
        Column("product_id", description="Product as ordered"),
        Column("order_status", description="State of the order"),
        Column("order_amount", "decimal(18,2)"),
        Column("updated_at", "timestamp", "Time of the latest change, UTC"),
    ),
)
