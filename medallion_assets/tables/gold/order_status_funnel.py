"""Gold order status funnel: how far the orders of each day have come."""

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from medallion_assets.contracts import Column, GoldTable, ReplaceDay, count, derived, total
from medallion_assets.tables.gold import fact_orders

LINES = ("gold.fact_orders.order_id",)

TABLE = GoldTable(
    name="order_status_funnel",
    description="Orders by day and status, and each status's share of the day.",
    inputs=(fact_orders.TABLE,),
    write=ReplaceDay("order_date"),
    partition_by="order_date",
    columns=(
        Column("order_date", "date", "Business day"),
        Column("order_status"),
        Column("order_count", "bigint", "Order lines", measure=count("order_id")),
        Column("total_amount", "decimal(28,2)", "US dollars", measure=total("order_amount")),
        Column("percent_of_orders", "decimal(5,2)", "Of the day's order lines", LINES, measure=derived()),
    ),
)


def transform(cells: DataFrame) -> DataFrame:
    of_day = F.sum("order_count").over(Window.partitionBy("order_date"))
    percent = F.col("order_count") * F.lit(100).cast("decimal(5,2)") / of_day
    return cells.withColumn("percent_of_orders", F.round(percent, 2))
