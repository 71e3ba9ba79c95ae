"""Incremental upsert by `updated_at`: the latest state of each order of the web shop."""

from medallion_assets.contracts.rules import not_negative, not_null
from medallion_assets.contracts.table import Column, Table, Upsert
from medallion_assets.tables.examples.bronze import web_orders as bronze_web_orders

TABLE = Table(
    layer="silver",
    name="web_orders",
    description="The latest state of each order of the web shop; a deleted one is kept as a tombstone.",
    inputs=(bronze_web_orders.TABLE,),
    write=Upsert(keys=("order_id",), sequence_by=("updated_at",)),
    partition_by="order_date",
    columns=(
        Column("order_id", "string", "Key of the order", ("bronze.web_orders.order_id",)),
        Column("order_date", "date", "Business day", ("bronze.web_orders.order_date",)),
        Column("order_amount", "decimal(18,2)", "US dollars", ("bronze.web_orders.order_amount",)),
        Column("updated_at", "timestamp", "Time of the change, UTC", ("bronze.web_orders.updated_at",)),
    ),
    rules=(not_null("order_date"), not_null("order_amount"), not_negative("order_amount")),
)
