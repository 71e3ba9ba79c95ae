"""Silver customers: the versions of each customer."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from medallion_assets.contracts.table import Column, History, Table
from medallion_assets.tables.bronze import customers as bronze_customers

TABLE = Table(
    layer="silver",
    name="customers",
    description="The versions of each customer (SCD2); a deleted one is kept as a tombstone.",
    inputs=(bronze_customers.TABLE,),
    write=History(keys=("customer_id",), sequence_by=("updated_at",), tracked=("customer_segment",)),
    columns=(
        Column("customer_id", "string", "Household", ("bronze.customers.customer_id",)),
        Column("customer_segment", "string", "Income bracket", ("bronze.customers.customer_segment",)),
        Column("updated_at", "timestamp", "Time of the latest change", ("bronze.customers.updated_at",)),
        Column("age", "string", "Age bracket", ("bronze.customers.age",)),
        Column("home_ownership", "string", "Owner or renter", ("bronze.customers.home_ownership",)),
        Column("marital_status", "string", "Married or not", ("bronze.customers.marital_status",)),
        Column("household_size", "string", "People in it", ("bronze.customers.household_size",)),
        Column("household_comp", "string", "Who lives there", ("bronze.customers.household_comp",)),
        Column("kids_count", "string", "Children", ("bronze.customers.kids_count",)),
    ),
)


def transform(changes: DataFrame) -> DataFrame:
    """Blank texts are missing ones."""
    names = [column.name for column in TABLE.columns if column.type == "string"]
    return changes.withColumns({name: F.when(F.trim(name) != "", F.col(name)) for name in names})
