"""Continuous upsert: the latest state of each order, by the messages of a topic.

A table of its own: the orders that land as files bear another clock, by which the two could not be put in one order.
"""

from medallion_assets.contracts import Column, SilverTable, Upsert, not_negative, not_null
from medallion_assets.tables.examples.bronze import order_events

TABLE = SilverTable(
    name="order_events",
    description="The latest state of each order that was sent; a deleted one is kept as a tombstone.",
    inputs=(order_events.TABLE,),
    write=Upsert(keys=("order_id",), sequence_by=("updated_at",)),
    partition_by="order_date",
    columns=(
        Column("order_id"),
        Column("order_date", "date"),
        Column("order_amount", "decimal(18,2)", "US dollars"),
        Column("order_status"),
        Column("updated_at", "timestamp", "Time of the change, UTC"),
    ),
    quarantine_limit=0.5,
    quarantine_least=1_000,
    rules=(not_null("order_date"), not_null("order_amount"), not_negative("order_amount")),
)
