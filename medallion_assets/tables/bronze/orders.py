"""Bronze orders: every order line as it landed."""

from medallion_assets.contracts import BronzeTable, Column, Land

TABLE = BronzeTable(
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
        Column("store_id", description="Store", optional=True),
        Column("quantity", description="Units", optional=True),
        Column("retail_disc", description="Discount of the loyalty card, US dollars", optional=True),
        Column("coupon_disc", description="Discount of a maker's coupon, US dollars", optional=True),
        Column(
            "coupon_match_disc",
            description="Discount of the store that matches a coupon, US dollars",
            optional=True,
        ),
        Column("week", description="Week of the year", optional=True),
    ),
)
