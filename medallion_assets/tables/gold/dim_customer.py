"""Gold customers: every version of each customer, which facts join by the time when they happened."""

from medallion_assets.contracts.table import Column, Dimension, Table
from medallion_assets.tables.silver import customers

TABLE = Table(
    layer="gold",
    name="dim_customer",
    description="The versions of each customer (SCD2), and one unknown customer.",
    inputs=(customers.TABLE,),
    write=Dimension(surrogate="customer_key", keys=("customer_id", "valid_from")),
    sort_by=("customer_id", "valid_from"),
    columns=(
        Column(
            "customer_key",
            "string",
            "Version of the customer; unknown without one",
            ("silver.customers.customer_id", "silver.customers.valid_from"),
        ),
        Column("customer_id", "string", "Household", ("silver.customers.customer_id",)),
        Column("customer_segment", "string", "Income bracket", ("silver.customers.customer_segment",)),
        Column("age", "string", "Age bracket", ("silver.customers.age",)),
        Column("home_ownership", "string", "Owner or renter", ("silver.customers.home_ownership",)),
        Column("marital_status", "string", "Married or not", ("silver.customers.marital_status",)),
        Column("household_size", "string", "People in it", ("silver.customers.household_size",)),
        Column("household_comp", "string", "Who lives there", ("silver.customers.household_comp",)),
        Column("kids_count", "string", "Children", ("silver.customers.kids_count",)),
        Column("valid_from", "timestamp", "When the version began", ("silver.customers.valid_from",)),
        Column(
            "valid_to",
            "timestamp",
            "When it ended; NULL for the open version",
            ("silver.customers.valid_to",),
        ),
        Column("is_current", "boolean", "Whether it is the open version", ("silver.customers.is_current",)),
    ),
)
