"""Changes of a key of two columns, ordered by the version of the Delta table that they come from."""

from medallion_assets.contracts import Column, SilverTable, Upsert, not_negative, not_null
from medallion_assets.tables.examples.bronze import prices as bronze_prices

TABLE = SilverTable(
    name="prices",
    description="The price of each product in each store now.",
    inputs=(bronze_prices.TABLE,),
    write=Upsert(keys=("store_id", "product_id"), sequence_by=("source_version",)),
    columns=(
        Column("store_id"),
        Column("product_id"),
        Column("price", "decimal(9,2)"),
        Column("source_version", "bigint"),
    ),
    rules=(not_null("price"), not_negative("price")),
)
