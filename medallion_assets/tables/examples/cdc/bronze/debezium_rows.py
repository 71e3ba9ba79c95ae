"""Debezium's rows, unwrapped, deletes rewritten to a flag: landing names `__deleted` `landed__deleted`."""

from medallion_assets.contracts import BronzeTable, Column, Land

TABLE = BronzeTable(
    name="debezium_rows",
    description="Customers as Debezium unwraps them.",
    write=Land("debezium_rows"),
    columns=(
        Column("id"),
        Column("name", optional=True),
        Column("balance", optional=True),
        Column("landed__deleted"),
        Column("landed__lsn"),
    ),
)
