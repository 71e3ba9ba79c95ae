"""Gold of a topic: the orders of each day, minutes after they happen."""

from medallion_assets.contracts import Column, GoldTable, ReplaceDay, count, total
from medallion_assets.tables.examples.silver import order_events

TABLE = GoldTable(
    name="daily_order_events",
    description="Orders that were sent, by day.",
    inputs=(order_events.TABLE,),
    write=ReplaceDay("order_date"),
    partition_by="order_date",
    columns=(
        Column("order_date", "date"),
        Column("order_count", "bigint", "Orders", measure=count("order_id")),
        Column("total_sales", "decimal(28,2)", "US dollars", measure=total("order_amount")),
    ),
)
