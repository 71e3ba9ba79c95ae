"""Debezium's envelopes without schema: a delete has its key in `before`; a heartbeat has no `op`."""

from medallion_assets.contracts import Column, Op, SilverTable, Upsert
from medallion_assets.tables.examples.cdc.bronze import debezium_changes as bronze_debezium_changes

TABLE = SilverTable(
    name="debezium_changes",
    description="The latest state of each customer.",
    inputs=(bronze_debezium_changes.TABLE,),
    write=Upsert(
        keys=("id",),
        sequence_by=("lsn",),
        op=Op("op", deletes=("d",), ignores="op IS NULL AND ts_ms IS NOT NULL"),
    ),
    columns=(
        Column("id", "bigint", source=("after.id", "before.id")),
        Column("name", source="after.name"),
        Column("balance", "decimal(38,10)", source="after.balance"),
        Column("lsn", "bigint", source="source.lsn"),
    ),
)
