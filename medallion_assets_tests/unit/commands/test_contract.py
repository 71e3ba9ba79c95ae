"""A contract as an Open Data Contract: valid by the standard's own schema, whatever the table."""

import json
from importlib.resources import files
from typing import Any

import jsonschema
import pytest
import yaml

from medallion_assets.commands.contract import open_data_contract
from medallion_assets.tables import CDC_EXAMPLES, EXAMPLES, find_tables

SCHEMA = json.loads(files("open_data_contract_standard").joinpath("schema.json").read_text("utf-8"))
TABLES = find_tables(EXAMPLES, CDC_EXAMPLES)


def exported(key: str) -> dict[str, Any]:
    return yaml.safe_load(open_data_contract(TABLES[key], "/lake").to_yaml())


@pytest.mark.parametrize("key", TABLES)
def test_every_table_is_a_valid_document(key: str):
    jsonschema.validate(exported(key), SCHEMA)


def test_a_document_says_what_the_contract_says():
    found = exported("silver/orders")
    assert (found["id"], found["version"]) == ("silver.orders", TABLES["silver/orders"].fingerprint)
    assert found["servers"] == [
        {"server": "lake", "type": "local", "path": "/lake/silver/orders", "format": "delta"}
    ]
    (table,) = found["schema"]
    columns = {column["name"]: column for column in table["properties"]}
    assert columns["order_id"] == {
        "name": "order_id",
        "physicalType": "string",
        "logicalType": "string",
        "description": "Key of the order line",
        "required": True,
        "primaryKey": True,
        "primaryKeyPosition": 1,
        "transformSourceObjects": ["bronze.orders.order_id"],
    }
    assert (columns["order_amount"]["logicalType"], columns["order_date"]["partitioned"]) == ("number", True)
    rules = {rule["name"]: rule for rule in table["quality"]}
    assert (rules["order_date_not_null"]["mustBe"], rules["order_date_not_null"]["severity"]) == (0, "error")
    assert rules["customer_id_not_null"]["severity"] == "warning"
    assert "order_amount_is_decimal" not in rules  # it judges the text that landed
    assert exported("gold/daily_sales")["slaProperties"] == [
        {"property": "latency", "value": 6.0, "unit": "h"}
    ]
