"""Debezium's rows, unwrapped: a flag says that the row is gone."""

from medallion_assets.contracts import Column, Op, SilverTable, Upsert
from medallion_assets.tables.examples.cdc.bronze import debezium_rows as bronze_debezium_rows

TABLE = SilverTable(
    name="debezium_rows",
    description="The latest state of each customer.",
    inputs=(bronze_debezium_rows.TABLE,),
    write=Upsert(
        keys=("id",),
        sequence_by=("lsn",),
        op=Op("landed__deleted", deletes=("true",), upserts=("false",)),
    ),
    columns=(
        Column("id", "bigint"),
        Column("name"),
        Column("balance", "decimal(38,10)"),
        Column("lsn", "bigint", source="landed__lsn"),
    ),
)
