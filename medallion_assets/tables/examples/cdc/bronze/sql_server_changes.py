"""SQL Server's change tables, as `cdc.fn_cdc_get_all_changes_...` gives them with `all update old`."""

from medallion_assets.contracts import BronzeTable, Column, Land

TABLE = BronzeTable(
    name="sql_server_changes",
    description="Stock with the columns of change tables.",
    write=Land("sql_server_changes"),
    columns=(
        Column("landed__$start_lsn"),
        Column("landed__$seqval"),
        Column("landed__$operation"),
        Column("id"),
        Column("stock", optional=True),
    ),
)
