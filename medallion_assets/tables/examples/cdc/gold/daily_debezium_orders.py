"""Gold of a database's changes: the orders of each day, as they are by now."""

from medallion_assets.contracts import Column, GoldTable, ReplaceDay, count, total
from medallion_assets.tables.examples.cdc.silver import debezium_orders

TABLE = GoldTable(
    name="daily_debezium_orders",
    description="Orders by day.",
    inputs=(debezium_orders.TABLE,),
    write=ReplaceDay("order_date"),
    partition_by="order_date",
    columns=(
        Column("order_date", "date"),
        Column("order_count", "bigint", "Orders", measure=count("order_id")),
        Column("total_sales", "decimal(28,2)", "US dollars", measure=total("order_amount")),
    ),
)
