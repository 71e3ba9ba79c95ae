"""AWS DMS without a time of change: LOAD00000001.csv and, of the same or later days, 20260105-101500123.csv."""

from medallion_assets.contracts import BronzeTable, Column, Land

TABLE = BronzeTable(
    name="dms_customers",
    description="Customers as DMS sends them.",
    write=Land("dms_customers"),
    columns=(
        Column("Op", optional=True),
        Column("id"),
        Column("name"),
    ),
)
