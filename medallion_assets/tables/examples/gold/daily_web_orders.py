"""ELT: landed raw first, refined later; the web shop's orders of each day."""

from medallion_assets.contracts.measures import count, total
from medallion_assets.contracts.table import Column, ReplaceDay, Table
from medallion_assets.tables.examples.silver import web_orders

TABLE = Table(
    layer="gold",
    name="daily_web_orders",
    description="Orders of the web shop by day.",
    inputs=(web_orders.TABLE,),
    write=ReplaceDay("order_date"),
    partition_by="order_date",
    columns=(
        Column("order_date", "date", "Business day", ("silver.web_orders.order_date",)),
        Column("order_count", "bigint", "Orders", ("silver.web_orders.order_id",), measure=count("order_id")),
        Column(
            "total_sales",
            "decimal(28,2)",
            "US dollars",
            ("silver.web_orders.order_amount",),
            measure=total("order_amount"),
        ),
    ),
)
