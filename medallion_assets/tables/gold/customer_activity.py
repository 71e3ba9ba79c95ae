"""Gold customer activity: recency, frequency and monetary value of each customer."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from medallion_assets.contracts import Column, GoldTable, ReplaceWhole, count, derived, greatest, least, total
from medallion_assets.tables.gold import fact_orders

KNOWN_DAY = ("gold.fact_orders.order_date", "gold.fact_orders.date_key")

TABLE = GoldTable(
    name="customer_activity",
    description="Completed orders of each customer, guests left out.",
    inputs=(fact_orders.TABLE,),
    where="order_status = 'COMPLETED' AND customer_id IS NOT NULL",
    write=ReplaceWhole(),
    columns=(
        Column("customer_id", description="Household"),
        Column("first_order_date", "date", "First business day", measure=least("order_date")),
        Column(
            "last_order_date",
            "date",
            "Last business day within the calendar",
            measure=greatest("CASE WHEN date_key <> -1 THEN order_date END"),
        ),
        Column(
            "recency_days",
            "int",
            "From it to the last such day of all customers",
            KNOWN_DAY,
            measure=derived(),
        ),
        Column("frequency", "bigint", "Order lines", measure=count("order_id")),
        Column("monetary_value", "decimal(28,2)", "US dollars", measure=total("order_amount")),
    ),
)


def transform(cells: DataFrame) -> DataFrame:
    """A day outside the calendar is a slip of the pen, and would make all customers look long gone."""
    last = cells.agg(F.max("last_order_date").alias("_last"))
    return cells.crossJoin(last).withColumn("recency_days", F.date_diff("_last", "last_order_date"))
