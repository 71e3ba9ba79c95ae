"""Debezium's envelopes from a topic of Kafka, in Avro: their schemas are in a registry.

`make cdc-demo` shows it with a database, a Debezium and a registry of its own.
"""

from medallion_assets.contracts import Avro, BronzeTable, Debezium, FollowTopic

TABLE = BronzeTable(
    name="debezium_orders_avro",
    description="Changes of orders, message by message, byte for byte.",
    write=FollowTopic(
        "shop_avro.public.orders",
        servers="$MEDALLION_KAFKA",
        payload=Avro("$MEDALLION_SCHEMA_REGISTRY", Debezium()),
    ),
)
