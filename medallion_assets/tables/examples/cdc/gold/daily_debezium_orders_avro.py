"""Gold of a database's changes that came in Avro: the same as that of `debezium_orders`."""

from dataclasses import replace

from medallion_assets.tables.examples.cdc.gold import daily_debezium_orders
from medallion_assets.tables.examples.cdc.silver import debezium_orders_avro

TABLE = replace(
    daily_debezium_orders.TABLE,
    name="daily_debezium_orders_avro",
    inputs=(debezium_orders_avro.TABLE,),
)
