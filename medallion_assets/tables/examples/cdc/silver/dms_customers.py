"""AWS DMS without a time of change: load files first, then files by name, then the later line of a file."""

from medallion_assets.contracts import Column, FileOrder, Op, SilverTable, Upsert
from medallion_assets.tables.examples.cdc.bronze import dms_customers as bronze_dms_customers

TABLE = SilverTable(
    name="dms_customers",
    description="The latest state of each customer.",
    inputs=(bronze_dms_customers.TABLE,),
    write=Upsert(
        keys=("id",),
        op=Op("Op", deletes=("D",), optional=True),  # load files have none
        file_order=FileOrder(),
    ),
    columns=(
        Column("id", "bigint"),
        Column("name"),
    ),
)
