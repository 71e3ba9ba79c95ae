"""Gold customers: every version of each customer, which facts join by the time when they happened."""

from medallion_assets.contracts import Column, Dimension, GoldTable
from medallion_assets.tables.silver import customers

TABLE = GoldTable(
    name="dim_customer",
    description="The versions of each customer (SCD2), and one unknown customer.",
    inputs=(customers.TABLE,),
    write=Dimension(surrogate="customer_key", keys=("customer_id", "valid_from")),
    sort_by=("customer_id", "valid_from"),
    columns=(
        Column("customer_key", description="Version of the customer; unknown without one"),
        Column("customer_id"),
        Column("customer_segment", description="Income bracket"),
        Column("age"),
        Column("home_ownership"),
        Column("marital_status"),
        Column("household_size"),
        Column("household_comp"),
        Column("kids_count"),
        Column("valid_from", "timestamp"),
        Column("valid_to", "timestamp"),
        Column("is_current", "boolean"),
    ),
)
