"""Gold daily sales: what was sold on each day, to which segment, in which category."""

from datetime import timedelta

from medallion_assets.contracts.measures import average, count, count_distinct, greatest, least, total
from medallion_assets.contracts.table import Column, Join, ReplaceDay, Table
from medallion_assets.tables.gold import dim_customer, dim_product, fact_orders

LINES, AMOUNT = ("gold.fact_orders.order_id",), ("gold.fact_orders.order_amount",)
CUSTOMERS = ("gold.fact_orders.customer_id",)
SEGMENT, CATEGORY = ("gold.dim_customer.customer_segment",), ("gold.dim_product.product_category",)

TABLE = Table(
    layer="gold",
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
        Column("order_date", "date", "Business day", ("gold.fact_orders.order_date",)),
        Column("customer_segment", "string", "As of the day; UNKNOWN for guests", SEGMENT),
        Column("product_category", "string", "UNKNOWN where missing", CATEGORY),
        Column("order_count", "bigint", "Order lines", LINES, measure=count("order_id")),
        Column("total_sales", "decimal(28,2)", "US dollars", AMOUNT, measure=total("order_amount")),
        Column("avg_order_value", "decimal(18,2)", "US dollars", AMOUNT, measure=average("order_amount")),
        Column(
            "unique_customers", "bigint", "Guests left out", CUSTOMERS, measure=count_distinct("customer_id")
        ),
        Column("min_order", "decimal(18,2)", "US dollars, least line", AMOUNT, measure=least("order_amount")),
        Column(
            "max_order",
            "decimal(18,2)",
            "US dollars, greatest line",
            AMOUNT,
            measure=greatest("order_amount"),
        ),
    ),
)
