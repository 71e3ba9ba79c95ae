"""Incremental upsert by `updated_at`: the latest state of each order of the web shop."""

from medallion_assets.contracts import Column, SilverTable, Upsert, not_negative, not_null
from medallion_assets.tables.examples.bronze import web_orders as bronze_web_orders

TABLE = SilverTable(
    name="web_orders",
    description="The latest state of each order of the web shop; a deleted one is kept as a tombstone.",
    inputs=(bronze_web_orders.TABLE,),
    write=Upsert(keys=("order_id",), sequence_by=("updated_at",)),
    partition_by="order_date",
    columns=(
        Column("order_id"),
        Column("order_date", "date"),
        Column("order_amount", "decimal(18,2)"),
        Column("updated_at", "timestamp", "Time of the change, UTC"),
    ),
    rules=(not_null("order_date"), not_null("order_amount"), not_negative("order_amount")),
)
