"""Silver customers: the latest state of each customer."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from medallion_assets.contracts.table import Column, Table, Upsert
from medallion_assets.tables.bronze import customers as bronze_customers

TABLE = Table(
    layer="silver",
    name="customers",
    description="The latest state of each customer; a deleted one is kept as a tombstone.",
    inputs=(bronze_customers.TABLE,),
    write=Upsert(keys=("customer_id",), sequence_by=("updated_at",)),
    columns=(
        Column("customer_id", "string", "Household", ("bronze.customers.customer_id",)),
        Column("customer_segment", "string", "Income bracket", ("bronze.customers.customer_segment",)),
        Column("updated_at", "timestamp", "Time of the change, UTC", ("bronze.customers.updated_at",)),
    ),
)


def transform(changes: DataFrame) -> DataFrame:
    """Blank identifiers and segments are missing ones."""
    names = ("customer_id", "customer_segment")
    return changes.withColumns({name: F.when(F.trim(name) != "", F.col(name)) for name in names})
