"""Debezium through Kafka in Avro: the columns and rules of `debezium_orders`, which messages in JSON bring."""

from dataclasses import replace

from medallion_assets.tables.examples.cdc.bronze import debezium_orders_avro as bronze_debezium_orders_avro
from medallion_assets.tables.examples.cdc.silver import debezium_orders

TABLE = replace(
    debezium_orders.TABLE,
    name="debezium_orders_avro",
    inputs=(bronze_debezium_orders_avro.TABLE,),
)
