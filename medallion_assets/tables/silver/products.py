"""Silver products: the latest state of each product."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from medallion_assets.contracts import Column, SilverTable, Upsert
from medallion_assets.tables.bronze import products as bronze_products

TABLE = SilverTable(
    name="products",
    description="The latest state of each product; a deleted one is kept as a tombstone.",
    inputs=(bronze_products.TABLE,),
    write=Upsert(keys=("product_id",), sequence_by=("updated_at",)),
    columns=(
        Column("product_id"),
        Column("product_category"),
        Column("updated_at", "timestamp"),
        Column("manufacturer_id"),
        Column("brand"),
        Column("product_subcategory"),
        Column("product_type"),
        Column("package_size"),
    ),
)


def transform(changes: DataFrame) -> DataFrame:
    """Blank texts are missing ones."""
    names = [column.name for column in TABLE.columns if column.type == "string"]
    return changes.withColumns({name: F.when(F.trim(name) != "", F.col(name)) for name in names})
