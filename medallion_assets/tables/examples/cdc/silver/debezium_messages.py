"""Debezium's envelopes with their schema; the payload of a tombstone is null, and that of a heartbeat has no `op`."""

from medallion_assets.contracts import Column, Op, SilverTable, Upsert
from medallion_assets.tables.examples.cdc.bronze import debezium_messages as bronze_debezium_messages

TABLE = SilverTable(
    name="debezium_messages",
    description="The latest state of each customer.",
    inputs=(bronze_debezium_messages.TABLE,),
    write=Upsert(
        keys=("id",),
        sequence_by=("lsn",),
        op=Op(
            "payload.op",
            deletes=("d",),
            ignores="payload IS NULL OR (_op IS NULL AND get_json_object(payload, '$.ts_ms') IS NOT NULL)",
        ),
    ),
    columns=(
        Column("id", "bigint", source=("payload.after.id", "payload.before.id")),
        Column("name", source="payload.after.name"),
        Column("balance", "decimal(38,10)", source="payload.after.balance"),
        Column("lsn", "bigint", source="payload.source.lsn"),
    ),
)
