"""ETL: of the landed orders keep the active ones, join the products, load the sums by category above a threshold."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from medallion_assets.contracts import Column, Extract, GoldTable, Join
from medallion_assets.tables.silver import orders, products

ACTIVE = ("PENDING", "PROCESSING", "SHIPPED", "COMPLETED")
THRESHOLD = 100

TABLE = GoldTable(
    name="category_sums",
    description=f"Categories whose active orders of a day's delivery come to more than {THRESHOLD} US dollars.",
    write=Extract(orders.TABLE),
    joins=(Join(products.TABLE, on="product_id", columns=("product_category",)),),
    partition_by="_ingestion_date",
    columns=(
        Column("_ingestion_date", "date"),
        Column("product_category"),
        Column("total_amount", "decimal(28,2)", "US dollars", ("bronze.orders.order_amount",)),
    ),
)


def transform(orders: DataFrame) -> DataFrame:
    """An order without a known product is left out."""
    active = orders.where(F.col("order_status").isin(*ACTIVE) & F.col("product_category").isNotNull())
    sums = active.groupBy("_ingestion_date", "product_category").agg(
        F.sum("order_amount").alias("total_amount")
    )
    return sums.where(F.col("total_amount") > THRESHOLD)
