"""Silver customers: the versions of each customer."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from medallion_assets.contracts import Column, Scd2, SilverTable
from medallion_assets.tables.bronze import customers as bronze_customers

TABLE = SilverTable(
    name="customers",
    description="The versions of each customer (SCD2); a deleted one is kept as a tombstone.",
    inputs=(bronze_customers.TABLE,),
    write=Scd2(keys=("customer_id",), sequence_by=("updated_at",), tracked=("customer_segment",)),
    columns=(
        Column("customer_id"),
        Column("customer_segment"),
        Column("updated_at", "timestamp", "Time of the latest change, UTC"),
        Column("age"),
        Column("home_ownership"),
        Column("marital_status"),
        Column("household_size"),
        Column("household_comp"),
        Column("kids_count"),
    ),
)


def transform(changes: DataFrame) -> DataFrame:
    """Blank texts are missing ones."""
    names = [column.name for column in TABLE.columns if column.type == "string"]
    return changes.withColumns({name: F.when(F.trim(name) != "", F.col(name)) for name in names})
