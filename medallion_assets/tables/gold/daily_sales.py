"""Gold daily sales: what was sold on each day, to which segment, in which category."""

from datetime import timedelta

from medallion_assets.contracts import (
    Column,
    GoldTable,
    Join,
    ReplaceDay,
    average,
    count,
    count_distinct,
    greatest,
    least,
    total,
)
from medallion_assets.tables.gold import dim_customer, dim_product, fact_orders

TABLE = GoldTable(
    name="daily_sales",
    description="Completed orders by day, customer segment and product category.",
    inputs=(fact_orders.TABLE,),
    joins=(
        Join(dim_customer.TABLE, on="customer_key", columns=("customer_segment",)),
        Join(dim_product.TABLE, on="product_key", columns=("product_category",)),
    ),
    where="order_status = 'COMPLETED'",
    write=ReplaceDay("order_date"),
    partition_by="order_date",
    due=timedelta(hours=6),
    columns=(
        Column("order_date", "date", "Business day"),
        Column("customer_segment", description="As of the day; UNKNOWN for guests"),
        Column("product_category", description="UNKNOWN where missing"),
        Column("order_count", "bigint", "Order lines", measure=count("order_id")),
        Column("total_sales", "decimal(28,2)", "US dollars", measure=total("order_amount")),
        Column("avg_order_value", "decimal(18,2)", "US dollars", measure=average("order_amount")),
        Column("unique_customers", "bigint", "Guests left out", measure=count_distinct("customer_id")),
        Column("min_order", "decimal(18,2)", "US dollars, least line", measure=least("order_amount")),
        Column("max_order", "decimal(18,2)", "US dollars, greatest line", measure=greatest("order_amount")),
    ),
)
