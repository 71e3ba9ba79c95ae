"""Prints a table's contract as an Open Data Contract Standard document (YAML), for catalogs and other tools."""

import argparse
import re
import sys

from open_data_contract_standard.model import (
    DataQuality,
    Description,
    OpenDataContractStandard,
    SchemaObject,
    SchemaProperty,
    Server,
    ServiceLevelAgreementProperty,
    Team,
)

from medallion_assets.commands.arguments import table_of
from medallion_assets.contracts.rules import Rule, Severity
from medallion_assets.contracts.silver import SilverTable
from medallion_assets.contracts.table import Table
from medallion_assets.lakehouse.storage.lake import table_path
from medallion_assets.orchestration.assets.specs import keys_of, required_columns
from medallion_assets.orchestration.resources import LakehouseResource
from medallion_assets.tables import find_tables

STANDARD = "v3.2.0"
_LOGICAL = {
    "bigint": "integer",
    "int": "integer",
    "smallint": "integer",
    "tinyint": "integer",
    "double": "number",
    "float": "number",
    "decimal": "number",
    "boolean": "boolean",
    "date": "date",
    "timestamp": "timestamp",
    "array": "array",
    "struct": "object",
    "map": "map",
}


def main() -> int:
    parser = argparse.ArgumentParser(description="A table's contract as an Open Data Contract.")
    parser.add_argument("--table", required=True, type=table_of("silver", "gold", "bronze"))
    table = find_tables()[parser.parse_args().table]
    print(open_data_contract(table, LakehouseResource().lake_root).to_yaml(), end="")
    return 0


def open_data_contract(table: Table, root: str) -> OpenDataContractStandard:
    """root: of the lake."""
    name = f"{table.layer}.{table.name}"
    due = ServiceLevelAgreementProperty(
        property="latency", value=table.due.total_seconds() / 3600 if table.due else 0, unit="h"
    )
    stored = SchemaObject(
        name=table.name,
        physicalName=name,
        physicalType="table",
        logicalType="object",
        description=table.description,
        properties=_properties(table),
        quality=[_quality(rule) for rule in _rules_of(table)] or None,
    )
    return OpenDataContractStandard(
        version=table.fingerprint,
        kind="DataContract",
        apiVersion=STANDARD,
        id=name,
        name=name,
        status="active",
        domain=table.layer,
        description=Description(purpose=table.description),
        servers=[Server(server="lake", type="local", path=table_path(root, table.key), format="delta")],
        schema=[stored],
        team=Team(name=", ".join(owner.removeprefix("team:") for owner in table.owners)),
        slaProperties=[due] if table.due else None,
    )


def _properties(table: Table) -> list[SchemaProperty]:
    keys, required = keys_of(table), required_columns(table)
    return [
        SchemaProperty(
            name=column.name,
            physicalType=column.type,
            logicalType=_LOGICAL.get(re.split(r"[(<]", column.type)[0], "string"),
            description=table.description_of(column) or None,
            required=column.name in required or None,
            primaryKey=column.name in keys or None,
            primaryKeyPosition=keys.index(column.name) + 1 if column.name in keys else None,
            partitioned=column.name == table.partition_column or None,
            classification="personal" if column.name in table.pii_columns else None,
            transformSourceObjects=list(table.lineage_of(column)) or None,
        )
        for column in table.columns
    ]


def _rules_of(table: Table) -> list[Rule]:
    """Those that can be asked of the stored rows."""
    rules = table.row_rules if isinstance(table, SilverTable) else ()
    return [rule for rule in rules if rule.names_only(table.types)]


def _quality(rule: Rule) -> DataQuality:
    return DataQuality.model_validate(
        {
            "name": rule.name,
            "type": "sql",
            "query": f"SELECT COUNT(*) FROM {{object}} WHERE NOT coalesce({rule.predicate}, false)",
            "mustBe": 0,
            "severity": "error" if rule.severity is Severity.QUARANTINE else "warning",
        }
    )


if __name__ == "__main__":
    sys.exit(main())
