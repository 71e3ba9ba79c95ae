"""The tables that no file declares: quarantine and the control tables, as assets that are found and never run."""

from collections.abc import Iterable
from typing import Any

import dagster as dg

from medallion_assets.contracts.silver import SilverTable
from medallion_assets.contracts.table import Table
from medallion_assets.lakehouse.control.catalog import CONTROL_TABLES
from medallion_assets.lakehouse.control.small_table import SmallTable
from medallion_assets.lakehouse.silver.quarantine import quarantine_key
from medallion_assets.orchestration.assets.specs import key_of, place_of


def kept_tables(tables: Iterable[Table]) -> list[dg.AssetSpec]:
    """One beside each silver table, and the control tables."""
    beside = [_quarantine(table) for table in tables if isinstance(table, SilverTable)]
    return [*beside, *map(_control, CONTROL_TABLES)]


def _quarantine(table: SilverTable) -> dg.AssetSpec:
    key = quarantine_key(table.name)
    landed = [dg.TableColumn(column.name, "string", column.description) for column in table.columns]
    failed = dg.TableColumn("_failed_rules", "array<string>", "The rules that the row breaks")
    return dg.AssetSpec(
        dg.AssetKey(key.split("/")),
        deps=[key_of(table)],
        description=f"The rows that {table.key} refused, as they landed, with the rules that they break.",
        group_name="quarantine",
        owners=list(table.owners),
        kinds={"deltalake"},
        metadata={
            "dagster/column_schema": dg.TableSchema([failed, *landed]),
            **place_of(key),
        },
    )


def _control(table: SmallTable[Any]) -> dg.AssetSpec:
    columns = [dg.TableColumn(name, type_) for name, type_ in table.column_types.items()]
    return dg.AssetSpec(
        dg.AssetKey(table.key.split("/")),
        description=table.row.__doc__,
        group_name="control",
        kinds={"deltalake"},
        metadata={
            "dagster/column_schema": dg.TableSchema(columns),
            **place_of(table.key),
        },
    )
