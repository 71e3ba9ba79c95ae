"""Debezium's envelopes as JSON lines, without schema: `before` and `after` are text that holds JSON."""

from medallion_assets.contracts import BronzeTable, Column, Land

TABLE = BronzeTable(
    name="debezium_changes",
    description="Changes of customers, an envelope each.",
    write=Land("debezium_changes"),
    columns=(
        Column("before", optional=True),
        Column("after", optional=True),
        Column("source"),
        Column("op"),
        Column("ts_ms", optional=True),
        Column("transaction", optional=True),
    ),
)
