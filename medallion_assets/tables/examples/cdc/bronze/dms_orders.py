"""AWS DMS with `TimestampColumnName=changed_at`."""

from medallion_assets.contracts import BronzeTable, Column, Land

TABLE = BronzeTable(
    name="dms_orders",
    description="Orders as DMS sends them.",
    write=Land("dms_orders"),
    columns=(
        Column("Op"),
        Column("changed_at"),
        Column("id"),
        Column("amount"),
    ),
)
