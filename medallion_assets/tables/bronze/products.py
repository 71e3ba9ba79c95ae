"""Bronze products: every change of a product as it landed."""

from medallion_assets.contracts.table import Column, Land, Table

TABLE = Table(
    layer="bronze",
    name="products",
    description="Products of the shops, as landed: every field is text.",
    write=Land("products"),
    columns=(
        Column("product_id", description="Product"),
        Column("product_category", description="Department"),
        Column("updated_at", description="Time of the change, UTC"),
    ),
)
