"""Bronze customers: every change of a customer as it landed."""

from medallion_assets.contracts import BronzeTable, Column, Land

TABLE = BronzeTable(
    name="customers",
    description="Households with a loyalty card, as landed: every field is text.",
    write=Land("customers"),
    columns=(
        Column("customer_id", description="Household"),
        Column("customer_segment", description="Income bracket, UNKNOWN where it is not known"),
        Column("updated_at", description="Time of the change, UTC"),
        Column("age", description="Age bracket", optional=True),
        Column("home_ownership", description="Owner or renter", optional=True),
        Column("marital_status", description="Married or not", optional=True),
        Column("household_size", description="People in the household", optional=True),
        Column("household_comp", description="Who lives there", optional=True),
        Column("kids_count", description="Children", optional=True),
    ),
)
