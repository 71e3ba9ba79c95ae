"""The change data feed of a Delta table, written to files: landing names `_change_type` `landed_change_type`."""

from medallion_assets.contracts import BronzeTable, Column, Land

TABLE = BronzeTable(
    name="delta_feed",
    description="Prices with the feed's columns.",
    write=Land("delta_feed"),
    columns=(
        Column("id"),
        Column("price", optional=True),
        Column("landed_change_type"),
        Column("landed_commit_version"),
        Column("landed_commit_timestamp", optional=True),
    ),
)
