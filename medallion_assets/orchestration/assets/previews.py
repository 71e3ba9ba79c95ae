"""A few rows of a table, read by delta-rs in milliseconds: previews in the UI, and examples for failed checks."""

from typing import Any

import dagster as dg
from deltalake.exceptions import TableNotFoundError

from medallion_assets.contracts.rules import Severity
from medallion_assets.contracts.silver import SilverTable
from medallion_assets.contracts.table import Table
from medallion_assets.contracts.technical_columns import CORRUPT_RECORD, SOURCE_FILE
from medallion_assets.lakehouse.silver.quarantine import quarantine_key
from medallion_assets.lakehouse.storage.lake import table_path
from medallion_assets.lakehouse.storage.sample_rows import row_lines, sample_rows, shown_columns, shown_value
from medallion_assets.orchestration.assets.specs import day_column
from medallion_assets.orchestration.resources import LakehouseResource


def previews(lakehouse: LakehouseResource, table: Table, day: str) -> dict[str, Any]:
    """Rows of the day, and its quarantined rows, as Markdown."""
    column = day_column(table)
    of_day = f"{_in_datafusion(column)} = DATE '{day}'" if column else "true"
    found = {"preview": _rows(lakehouse, table, table.key, of_day)}
    if table.layer == "silver":
        key = quarantine_key(table.name)
        found["quarantine"] = _rows(lakehouse, table, key, f"_ingestion_date = DATE '{day}'")
    return {name: dg.MetadataValue.md(_markdown(rows)) for name, rows in found.items() if rows}


def broken_rows(
    lakehouse: LakehouseResource, table: SilverTable, check: str, day: str, *, has_rows: bool
) -> dict[str, Any]:
    """For the metadata of a rule that failed: rows with key, judged columns and file, and the query of all of them.

    Nothing for a check that is no rule. has_rows: whether rows are read, which takes milliseconds
    """
    rule = next((rule for rule in table.row_rules if rule.name == check), None)
    if rule is None:
        return {}
    if rule.severity is Severity.WARN:  # whose rows are in silver, without the text as landed
        if not rule.names_only(table.types):
            return {}
        where = f"_ingestion_date = DATE '{day}' AND NOT coalesce({rule.predicate}, false)"
        return {"query": f"SELECT * FROM delta.`{table_path(lakehouse.lake_root, table.key)}` WHERE {where}"}
    where = f"_ingestion_date = DATE '{day}' AND array_contains(_failed_rules, '{check}')"
    key = quarantine_key(table.name)
    found = rows_breaking(lakehouse, table, check, day) if has_rows else []
    shown = row_lines(found, (*table.merge_keys, *rule.columns, CORRUPT_RECORD, SOURCE_FILE))
    return {**shown, "query": f"SELECT * FROM delta.`{table_path(lakehouse.lake_root, key)}` WHERE {where}"}


def rows_breaking(lakehouse: LakehouseResource, table: Table, check: str, day: str) -> list[dict[str, Any]]:
    """Quarantined rows of the day that broke the rule; none for a check that is not a rule."""
    if table.layer != "silver":
        return []
    broke = f"_ingestion_date = DATE '{day}' AND array_has(_failed_rules, '{check}')"
    rows = _rows(lakehouse, table, quarantine_key(table.name), broke)
    return [{name: value for name, value in row.items() if value is not None} for row in rows]


def _in_datafusion(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _rows(lakehouse: LakehouseResource, table: Table, key: str, where: str) -> list[dict[str, Any]]:
    """Of the table, or of its quarantine."""
    try:
        return sample_rows(lakehouse.delta_table(key), where, table.pii_columns)
    except TableNotFoundError:
        return []


def _markdown(rows: list[dict[str, Any]]) -> str:
    names = shown_columns(rows)
    lines = ["| " + " | ".join(names) + " |", "|" + "---|" * len(names)]
    lines += ["| " + " | ".join(_cell(row[name]) for name in names) + " |" for row in rows]
    return "\n".join(lines)


def _cell(value: Any) -> str:
    return shown_value(value).replace("\\", "\\\\").replace("|", "\\|")
