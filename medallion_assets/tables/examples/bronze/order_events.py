"""Continuous: orders as they happen, from a Kafka topic; each message is one JSON object.

kafka-topics.sh --create --topic order_events --partitions 3; the key of a message is its order_id.
"""

from medallion_assets.contracts import BronzeTable, FollowTopic

TABLE = BronzeTable(
    name="order_events",
    description="What happened to orders, message by message, byte for byte.",
    write=FollowTopic("order_events", servers="$MEDALLION_KAFKA"),
)
