"""GoldenGate's delimited text, with before-images (`B`)."""

from medallion_assets.contracts import BronzeTable, Column, Land

TABLE = BronzeTable(
    name="golden_gate",
    description="Accounts as GoldenGate writes them.",
    write=Land("golden_gate"),
    columns=(
        Column("op_type"),
        Column("op_ts"),
        Column("pos"),
        Column("id"),
        Column("owner", optional=True),
    ),
)
