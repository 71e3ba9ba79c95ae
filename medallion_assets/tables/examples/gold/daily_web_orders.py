"""ELT: landed raw first, refined later; the web shop's orders of each day."""

from medallion_assets.contracts import Column, GoldTable, ReplaceDay, count, total
from medallion_assets.tables.examples.silver import web_orders

TABLE = GoldTable(
    name="daily_web_orders",
    description="Orders of the web shop by day.",
    inputs=(web_orders.TABLE,),
    write=ReplaceDay("order_date"),
    partition_by="order_date",
    columns=(
        Column("order_date", "date"),
        Column("order_count", "bigint", "Orders", measure=count("order_id")),
        Column("total_sales", "decimal(28,2)", "US dollars", measure=total("order_amount")),
    ),
)
