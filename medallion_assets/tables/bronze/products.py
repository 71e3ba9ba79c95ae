"""Bronze products: every change of a product as it landed."""

from medallion_assets.contracts import BronzeTable, Column, Land

TABLE = BronzeTable(
    name="products",
    description="Products of the shops, as landed: every field is text.",
    write=Land("products"),
    columns=(
        Column("product_id", description="Product"),
        Column("product_category", description="Department"),
        Column("updated_at", description="Time of the change, UTC"),
        Column("manufacturer_id", description="Maker", optional=True),
        Column("brand", description="National or private", optional=True),
        Column("product_subcategory", description="Category within the department", optional=True),
        Column("product_type", description="Kind of product", optional=True),
        Column("package_size", description="Size of the package", optional=True),
    ),
)
