"""What people see of an asset in the UI before it ever ran: its columns, their lineage, owners, kinds and code."""

from pathlib import Path

import dagster as dg

from medallion_assets.contracts.table import Table


def key_of(table: Table) -> dg.AssetKey:
    return dg.AssetKey([table.layer, table.name])


def step_name(key: str) -> str:
    """The step of a table, by the table's key."""
    return key.replace("/", "__")


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
    columns = [
        *((column, table.description_of(column)) for column in table.columns),
        *((column, column.description) for column in table.technical_columns),
    ]
    return dg.TableSchema([dg.TableColumn(c.name, c.type, description=told) for c, told in columns])


def _lineage(table: Table) -> dg.TableColumnLineage:
    sources = {column.name: table.lineage_of(column) for column in table.columns}
    return dg.TableColumnLineage(
        {name: list(map(_dependency, found)) for name, found in sources.items() if found}
    )


def _dependency(source: str) -> dg.TableColumnDep:
    layer, table, column = source.split(".", 2)
    return dg.TableColumnDep(dg.AssetKey([layer, table]), column)
