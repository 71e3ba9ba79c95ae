"""Gold products: the latest state of each product."""

from medallion_assets.contracts import Column, Dimension, GoldTable
from medallion_assets.tables.silver import products

TABLE = GoldTable(
    name="dim_product",
    description="The latest state of each product (SCD1), and one unknown product.",
    inputs=(products.TABLE,),
    write=Dimension(surrogate="product_key", keys=("product_id",)),
    columns=(
        Column("product_key", description="Product; unknown without one"),
        Column("product_id"),
        Column("product_category"),
        Column("product_subcategory"),
        Column("product_type"),
        Column("brand"),
        Column("manufacturer_id"),
        Column("package_size"),
    ),
)
