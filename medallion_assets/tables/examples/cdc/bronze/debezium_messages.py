"""Debezium's envelopes with their schema: `{schema, payload}` as JSON lines."""

from medallion_assets.contracts import BronzeTable, Column, Land

TABLE = BronzeTable(
    name="debezium_messages",
    description="Changes of customers, a message each.",
    write=Land("debezium_messages"),
    columns=(
        Column("schema", optional=True),
        Column("payload", optional=True),
    ),
)
