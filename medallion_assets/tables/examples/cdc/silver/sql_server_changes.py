"""SQL Server: 1 is a delete, 2 an insert, 3 the row before an update and 4 the row after it."""

from medallion_assets.contracts import Column, Op, SilverTable, Upsert
from medallion_assets.tables.examples.cdc.bronze import sql_server_changes as bronze_sql_server_changes

TABLE = SilverTable(
    name="sql_server_changes",
    description="The latest stock of each product.",
    inputs=(bronze_sql_server_changes.TABLE,),
    write=Upsert(
        keys=("id",),
        sequence_by=("start_lsn", "seqval"),
        op=Op("landed__$operation", deletes=("1",), ignores=("3",), upserts=("2", "4")),
    ),
    columns=(
        Column("id", "bigint"),
        Column("stock", "int"),
        Column("start_lsn", source="landed__$start_lsn"),
        Column("seqval", source="landed__$seqval"),
    ),
)
