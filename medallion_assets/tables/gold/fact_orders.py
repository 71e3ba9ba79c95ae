"""Gold order facts: one row for each live order line, with the keys of what describes it."""

from medallion_assets.contracts.table import Column, Join, ReplaceDay, Table, Total
from medallion_assets.tables.gold import dim_customer, dim_date, dim_product
from medallion_assets.tables.silver import orders

TABLE = Table(
    layer="gold",
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
        Column("order_id", "string", "Key of the order line", ("silver.orders.order_id",)),
        Column("order_date", "date", "Business day of the order, local time", ("silver.orders.order_date",)),
        Column("date_key", "int", "-1 outside the calendar", ("gold.dim_date.date_key",)),
        Column("customer_key", "string", "Version of the customer", ("gold.dim_customer.customer_key",)),
        Column("product_key", "string", "Product", ("gold.dim_product.product_key",)),
        Column("customer_id", "string", "Household; NULL for a guest", ("silver.orders.customer_id",)),
        Column("product_id", "string", "Product as ordered", ("silver.orders.product_id",)),
        Column("order_status", "string", "State of the order", ("silver.orders.order_status",)),
        Column("order_amount", "decimal(18,2)", "US dollars", ("silver.orders.order_amount",)),
        Column("updated_at", "timestamp", "Time of the latest change, UTC", ("silver.orders.updated_at",)),
    ),
)
