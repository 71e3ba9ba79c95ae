"""GoldenGate: I, U, D or whole words; images of rows before an update are ignored."""

from medallion_assets.contracts import Column, Op, SilverTable, Upsert
from medallion_assets.tables.examples.cdc.bronze import golden_gate as bronze_golden_gate

TABLE = SilverTable(
    name="golden_gate",
    description="The latest state of each account.",
    inputs=(bronze_golden_gate.TABLE,),
    write=Upsert(
        keys=("id",),
        sequence_by=("op_ts", "pos"),
        op=Op(
            "op_type",
            deletes=("D", "DELETE"),
            ignores=("B", "UPDATE BEFORE"),
            upserts=("I", "U", "INSERT", "UPDATE"),
        ),
    ),
    columns=(
        Column("id", "bigint"),
        Column("owner"),
        Column("op_ts", "timestamp"),
        Column("pos", "decimal(20,0)"),
    ),
)
