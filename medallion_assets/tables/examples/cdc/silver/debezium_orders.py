"""Debezium through Kafka: the rows of a PostgreSQL table, in the order of its log.

Columns with a time zone come as ISO 8601, whose first ten letters are the day in UTC.
"""

from medallion_assets.contracts import Column, SilverTable, Upsert, not_null
from medallion_assets.tables.examples.cdc.bronze import debezium_orders as bronze_debezium_orders

TABLE = SilverTable(
    name="debezium_orders",
    description="The latest state of each order; a deleted one is kept as a tombstone.",
    inputs=(bronze_debezium_orders.TABLE,),
    write=Upsert(keys=("order_id",), sequence_by=("lsn",)),
    partition_by="order_date",
    columns=(
        Column("order_id", "bigint"),
        Column("ordered_at", "timestamp"),
        Column("order_date", "date", "Day in UTC", source="ordered_at"),
        Column("order_amount", "decimal(18,2)", "US dollars"),
        Column("order_status"),
        Column("lsn", "bigint", "Place of the change in the log of the database"),
    ),
    rules=(not_null("order_date"), not_null("order_amount")),
)
