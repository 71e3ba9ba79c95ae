"""Silver orders: the latest state of each order line."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from medallion_assets.contracts import (
    Column,
    Severity,
    SilverTable,
    Upsert,
    at_most_decimals,
    not_negative,
    not_null,
    one_of,
)
from medallion_assets.tables.bronze import orders as bronze_orders

STATUSES = ("PENDING", "PROCESSING", "SHIPPED", "COMPLETED", "CANCELLED", "RETURNED", "VOID")

TABLE = SilverTable(
    name="orders",
    description="The latest state of each order line; a deleted one is kept as a tombstone.",
    inputs=(bronze_orders.TABLE,),
    write=Upsert(keys=("order_id",), sequence_by=("updated_at",)),
    partition_by="order_date",
    columns=(
        Column("order_id"),
        Column("customer_id", description="Household; NULL for a guest"),
        Column("product_id"),
        Column("order_date", "date"),
        Column("order_amount", "decimal(18,2)", "US dollars, rounded half up"),
        Column("order_status", description="One of " + ", ".join(STATUSES)),
        Column("updated_at", "timestamp"),
    ),
    rules=(
        not_null("order_date"),
        not_null("order_amount"),
        not_negative("order_amount"),
        one_of("order_status", STATUSES),
        not_null("customer_id", Severity.WARN),
        not_null("product_id", Severity.WARN),
        at_most_decimals("order_amount", 2),
    ),
    quarantine_limit=0.5,
)


def transform(changes: DataFrame) -> DataFrame:
    """Blank identifiers are missing ones; a status is compared without blanks and in capitals, if it is ASCII."""
    blank_is_null = {name: F.when(F.trim(name) != "", F.col(name)) for name in ("customer_id", "product_id")}
    status = F.trim("order_status")
    capitals = F.when(status.rlike("^[A-Za-z]*$"), F.upper(status)).otherwise(status)
    return changes.withColumns({**blank_is_null, "order_status": capitals})
