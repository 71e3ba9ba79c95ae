"""What people see of an asset in the UI before it ever ran: its columns, their lineage, owners, kinds and code."""

from pathlib import Path

import dagster as dg

from medallion_assets.contracts.table import Column, FollowDelta, FollowTable, History, Land, Table, Upsert

_INGESTED = (
    Column("_ingestion_date", "date", "Day of the landing folder"),
    Column("_source_file", "string", "Landed file, relative to the landing root, or batch"),
)
_LANDED = (
    Column("_ingestion_timestamp", "timestamp", "When the row was landed"),
    *_INGESTED,
    Column("_source_modified_at", "timestamp", "When the landed file, or the row at its source, was changed"),
    Column("_corrupt_record", "string", "The raw record, where it could not be parsed"),
)
_ADDED: dict[type, tuple[Column, ...]] = {
    Land: _LANDED,
    FollowDelta: _LANDED,
    FollowTable: _LANDED,
    Upsert: (
        Column("_sequence", "struct", "What orders the changes of one key"),
        Column("_deleted_at", "timestamp", "Time of the delete; NULL for a live row"),
    ),
}
_ADDED[History] = (
    Column("valid_from", "timestamp", "When the version began"),
    Column("valid_to", "timestamp", "When it ended; NULL for the open version"),
    Column("is_current", "boolean", "Whether it is the open version"),
    *_ADDED[Upsert],
)
_JUDGED = (
    *_INGESTED,
    Column("_silver_processed_timestamp", "timestamp", "When the row was written"),
    Column("_data_quality_score", "double", "0 to 100: the weighted share of rules that the row satisfies"),
)


def key_of(table: Table) -> dg.AssetKey:
    return dg.AssetKey([table.layer, table.name])


def asset_spec(table: Table) -> dg.AssetSpec:
    return dg.AssetSpec(
        key_of(table),
        deps=[key_of(upstream) for upstream in table.upstream],
        skippable=True,
        description=table.description,
        group_name=table.layer,
        owners=list(table.owners),
        kinds={"spark", "deltalake", table.layer},
        tags=table.tags,
        code_version=table.fingerprint,
        metadata={
            "dagster/column_schema": _schema(table),
            "dagster/column_lineage": _lineage(table),
            "dagster/table_name": f"{table.layer}.{table.name}",
            "dagster/uri": f"delta:{table.key}",
            "dagster/code_references": dg.CodeReferencesMetadataValue(
                code_references=[dg.LocalFileCodeReference(file_path=table.file, label=Path(table.file).name)]
            ),
        },
    )


def _schema(table: Table) -> dg.TableSchema:
    added = _ADDED.get(type(table.write), ())
    if table.layer == "silver":
        added += _JUDGED
    if table.layer == "gold":
        added += (Column("_gold_created_timestamp", "timestamp", "When the day was computed"),)
    columns = (*table.columns, *added)
    return dg.TableSchema([dg.TableColumn(c.name, c.type, description=c.description) for c in columns])


def _lineage(table: Table) -> dg.TableColumnLineage:
    return dg.TableColumnLineage(
        {
            column.name: [
                dg.TableColumnDep(dg.AssetKey(source.split(".")[:2]), source.split(".")[2])
                for source in column.lineage
            ]
            for column in table.columns
            if column.lineage
        }
    )
