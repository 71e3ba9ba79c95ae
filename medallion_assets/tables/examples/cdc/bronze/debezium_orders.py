"""Debezium's envelopes from a topic of Kafka: what a PostgreSQL database commits, as it happens.

`make cdc-demo` shows it with a database and a Debezium of its own.
"""

from medallion_assets.contracts import BronzeTable, Debezium, FollowTopic

TABLE = BronzeTable(
    name="debezium_orders",
    description="Changes of orders, message by message, byte for byte.",
    write=FollowTopic("shop.public.orders", servers="$MEDALLION_KAFKA", payload=Debezium()),
)
