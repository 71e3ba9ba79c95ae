"""Full daily batch: the list of products as it was on each day; a day is replaced whole, and no day by another."""

from medallion_assets.contracts import Column, ReplaceDay, SilverTable, not_null
from medallion_assets.tables.bronze import products as bronze_products

TABLE = SilverTable(
    name="product_snapshots",
    description="The products as delivered on each day.",
    inputs=(bronze_products.TABLE,),
    write=ReplaceDay(),
    partition_by="_ingestion_date",
    columns=(Column("product_id"), Column("product_category")),
    rules=(not_null("product_id"),),
)
