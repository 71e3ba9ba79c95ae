"""Gold daily sales: what was sold on each day, to which segment, in which category."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from medallion_assets.contracts.table import Column, Join, ReplaceDay, Table
from medallion_assets.tables.silver import customers, orders, products

AMOUNT = ("silver.orders.order_amount",)

TABLE = Table(
    layer="gold",
    name="daily_sales",
    description="Completed orders by day, customer segment and product category.",
    inputs=(orders.TABLE,),
    joins=(
        Join(customers.TABLE, on="customer_id", columns=("customer_segment",)),
        Join(products.TABLE, on="product_id", columns=("product_category",)),
    ),
    where="order_status = 'COMPLETED'",
    totals=(("order_count", "count(order_id)"), ("total_sales", "CAST(sum(order_amount) AS DECIMAL(28,2))")),
    write=ReplaceDay("order_date"),
    partition_by="order_date",
    columns=(
        Column("order_date", "date", "Business day", ("silver.orders.order_date",)),
        Column("customer_segment", "string", "UNKNOWN for guests", ("silver.customers.customer_segment",)),
        Column("product_category", "string", "UNKNOWN where missing", ("silver.products.product_category",)),
        Column("order_count", "bigint", "Completed order lines", ("silver.orders.order_id",)),
        Column("total_sales", "decimal(28,2)", "US dollars", AMOUNT),
        Column("avg_order_value", "decimal(18,2)", "US dollars a line, rounded half up", AMOUNT),
        Column(
            "unique_customers",
            "bigint",
            "Different customers, guests left out",
            ("silver.orders.customer_id",),
        ),
        Column("min_order", "decimal(18,2)", "US dollars, least line", AMOUNT),
        Column("max_order", "decimal(18,2)", "US dollars, greatest line", AMOUNT),
    ),
)


def transform(sales: DataFrame, customers: DataFrame, products: DataFrame) -> DataFrame:
    """A sale without a known customer or product counts as UNKNOWN, so that no sale is lost."""
    return (
        sales.join(customers, "customer_id", "left")
        .join(products, "product_id", "left")
        .groupBy(
            "order_date",
            F.coalesce("customer_segment", F.lit("UNKNOWN")).alias("customer_segment"),
            F.coalesce("product_category", F.lit("UNKNOWN")).alias("product_category"),
        )
        .agg(
            F.count("order_id").alias("order_count"),
            F.sum("order_amount").alias("total_sales"),
            # Not avg: it rounds to six digits first, and a second rounding could turn a half.
            F.round(F.sum("order_amount") / F.count("order_id"), 2).alias("avg_order_value"),
            F.count_distinct("customer_id").alias("unique_customers"),
            F.min("order_amount").alias("min_order"),
            F.max("order_amount").alias("max_order"),
        )
    )
