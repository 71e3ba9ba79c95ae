"""Silver products: the latest state of each product."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from medallion_assets.contracts.table import Column, Table, Upsert
from medallion_assets.tables.bronze import products as bronze_products

TABLE = Table(
    layer="silver",
    name="products",
    description="The latest state of each product; a deleted one is kept as a tombstone.",
    inputs=(bronze_products.TABLE,),
    write=Upsert(keys=("product_id",), sequence_by=("updated_at",)),
    columns=(
        Column("product_id", "string", "Product", ("bronze.products.product_id",)),
        Column("product_category", "string", "Department", ("bronze.products.product_category",)),
        Column("updated_at", "timestamp", "Time of the change, UTC", ("bronze.products.updated_at",)),
        Column("manufacturer_id", "string", "Maker", ("bronze.products.manufacturer_id",)),
        Column("brand", "string", "National or private", ("bronze.products.brand",)),
        Column(
            "product_subcategory",
            "string",
            "Category within the department",
            ("bronze.products.product_subcategory",),
        ),
        Column("product_type", "string", "Kind of product", ("bronze.products.product_type",)),
        Column("package_size", "string", "Size of the package", ("bronze.products.package_size",)),
    ),
)


def transform(changes: DataFrame) -> DataFrame:
    """Blank texts are missing ones."""
    names = [column.name for column in TABLE.columns if column.type == "string"]
    return changes.withColumns({name: F.when(F.trim(name) != "", F.col(name)) for name in names})
