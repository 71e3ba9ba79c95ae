"""A Delta table elsewhere, followed by its version: the price list of another team's lake, net changes only."""

from medallion_assets.contracts import BronzeTable, Column, FollowDelta

TABLE = BronzeTable(
    name="prices",
    description="Prices of each product in each store, as they change in the other lake.",
    write=FollowDelta("$MEDALLION_PRICES", keys=("store_id", "product_id")),
    columns=(
        Column("store_id", description="Store"),
        Column("product_id", description="Product"),
        Column("price", description="US dollars"),
        Column("op", description="U, or D for a row that is there no more"),
        Column("source_version", description="Version that brought the change"),
    ),
)
