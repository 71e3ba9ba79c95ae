"""A Delta change data feed: images of rows before an update are ignored."""

from medallion_assets.contracts import Column, Op, SilverTable, Upsert
from medallion_assets.tables.examples.cdc.bronze import delta_feed as bronze_delta_feed

TABLE = SilverTable(
    name="delta_feed",
    description="The latest price of each product.",
    inputs=(bronze_delta_feed.TABLE,),
    write=Upsert(
        keys=("id",),
        sequence_by=("commit_version",),
        op=Op(
            "landed_change_type",
            deletes=("delete",),
            ignores=("update_preimage",),
            upserts=("insert", "update_postimage"),
        ),
    ),
    columns=(
        Column("id", "bigint"),
        Column("price", "decimal(9,2)"),
        Column("commit_version", "bigint", source="landed_commit_version"),
    ),
)
