"""Bronze orders: every order line as it landed."""

from medallion_assets.contracts.table import Column, Land, Table

TABLE = Table(
    layer="bronze",
    name="orders",
    description="Order lines of the shops, as landed: every field is text.",
    write=Land("orders"),
    columns=(
        Column("order_id", description="Key of the order line"),
        Column("customer_id", description="Household; empty for a guest"),
        Column("product_id", description="Product of the line"),
        Column("order_date", description="Business day of the order, local time"),
        Column("order_amount", description="US dollars"),
        Column("order_status", description="State of the order"),
        Column("updated_at", description="Time of the change, UTC"),
        Column("op", description="D for a delete; I, U, C, R or nothing for an upsert", optional=True),
    ),
)
