"""Gold products: the latest state of each product."""

from medallion_assets.contracts.table import Column, Dimension, Table
from medallion_assets.tables.silver import products

TABLE = Table(
    layer="gold",
    name="dim_product",
    description="The latest state of each product (SCD1), and one unknown product.",
    inputs=(products.TABLE,),
    write=Dimension(surrogate="product_key", keys=("product_id",)),
    columns=(
        Column("product_key", "string", "Product; unknown without one", ("silver.products.product_id",)),
        Column("product_id", "string", "Product", ("silver.products.product_id",)),
        Column("product_category", "string", "Department", ("silver.products.product_category",)),
        Column(
            "product_subcategory",
            "string",
            "Category within the department",
            ("silver.products.product_subcategory",),
        ),
        Column("product_type", "string", "Kind of product", ("silver.products.product_type",)),
        Column("brand", "string", "National or private", ("silver.products.brand",)),
        Column("manufacturer_id", "string", "Maker", ("silver.products.manufacturer_id",)),
        Column("package_size", "string", "Size of the package", ("silver.products.package_size",)),
    ),
)
