"""AWS DMS with a time of change: of one time the load counts less than a change, and the later line more."""

from medallion_assets.contracts import Column, FileOrder, Op, SilverTable, Upsert
from medallion_assets.tables.examples.cdc.bronze import dms_orders as bronze_dms_orders

TABLE = SilverTable(
    name="dms_orders",
    description="The latest state of each order.",
    inputs=(bronze_dms_orders.TABLE,),
    write=Upsert(
        keys=("id",),
        sequence_by=("changed_at",),
        op=Op("Op", deletes=("D",)),
        file_order=FileOrder(),
    ),
    columns=(
        Column("id", "bigint"),
        Column("amount", "decimal(18,2)"),
        Column("changed_at", "timestamp"),
    ),
)
