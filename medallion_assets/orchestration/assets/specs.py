"""What people see of an asset in the UI before it ever ran: its columns, their lineage, owners, kinds and code."""

from pathlib import Path

import dagster as dg

from medallion_assets.contracts.column import INGESTION_DATE, Column
from medallion_assets.contracts.gold import GoldTable
from medallion_assets.contracts.rules import not_null
from medallion_assets.contracts.silver import SilverTable
from medallion_assets.contracts.table import Table
from medallion_assets.lakehouse.storage.lake import table_path
from medallion_assets.orchestration.resources import LakehouseResource


def key_of(table: Table) -> dg.AssetKey:
    return dg.AssetKey([table.layer, table.name])


def step_name(key: str) -> str:
    """The step of a table, by the table's key."""
    return key.replace("/", "__")


def day_column(table: Table) -> str | None:
    """The column whose value is the day of the asset's partition; None where each day stands for the whole table."""
    return table.partition_column if table.layer == "gold" else INGESTION_DATE


def place_of(key: str) -> dict[str, str]:
    """Where the table is, as this process is set up."""
    place = table_path(LakehouseResource().lake_root, key)
    return {"dagster/table_name": key.replace("/", "."), "dagster/uri": place}


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
            **place_of(table.key),
            "dagster/code_references": dg.CodeReferencesMetadataValue(
                code_references=[dg.LocalFileCodeReference(file_path=table.file, label=Path(table.file).name)]
            ),
        },
    )


def _schema(table: Table) -> dg.TableSchema:
    keys, required = keys_of(table), required_columns(table)
    columns = [
        dg.TableColumn(
            column.name,
            column.type,
            description=_told(table, column),
            constraints=dg.TableColumnConstraints(
                nullable=column.name not in required, other=["key"] if column.name in keys else []
            ),
        )
        for column in table.columns
    ]
    technical = [dg.TableColumn(c.name, c.type, description=c.description) for c in table.technical_columns]
    return dg.TableSchema([*columns, *technical])


def keys_of(table: Table) -> tuple[str, ...]:
    return table.grain if isinstance(table, GoldTable) else table.write.row_key


def required_columns(table: Table) -> set[str]:
    """The columns without which no row gets into the table."""
    rules = table.row_rules if isinstance(table, SilverTable) else ()
    return {rule.columns[0] for rule in rules if len(rule.columns) == 1 and rule == not_null(*rule.columns)}


def _told(table: Table, column: Column) -> str:
    """With where it comes from: the tab of the lineage is not in the open UI."""
    told, sources = table.description_of(column), ", ".join(table.lineage_of(column))
    return f"{told} (from {sources})".strip() if sources else told


def _lineage(table: Table) -> dg.TableColumnLineage:
    sources = {column.name: table.lineage_of(column) for column in table.columns}
    return dg.TableColumnLineage(
        {name: list(map(_dependency, found)) for name, found in sources.items() if found}
    )


def _dependency(source: str) -> dg.TableColumnDep:
    layer, table, column = source.split(".", 2)
    return dg.TableColumnDep(dg.AssetKey([layer, table]), column)
