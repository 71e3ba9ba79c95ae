"""What a stored Delta table says about the contract it was written with: types, partition, and the keys of its rows.

The keys are stored in the table's schema, as metadata of one column, by the commit that creates or rewrites the table:
a Delta writer keeps the metadata of an existing column. Which differences matter is decided in `contracts/stored.py`.
"""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from pyspark.sql import Column
from pyspark.sql import functions as F

from medallion_assets.contracts.gold import GoldTable
from medallion_assets.contracts.silver import SilverTable
from medallion_assets.contracts.sql_types import normal_type
from medallion_assets.contracts.stored import StoredTable, check_contract
from medallion_assets.contracts.technical_columns import SEQUENCE
from medallion_assets.errors import MedallionError
from medallion_assets.lakehouse.storage.lake import Lake, table_path
from medallion_assets.lakehouse.storage.open_table import find_table

KEYS = "medallion.keys"


class NewerContract(MedallionError):
    """Another process works by a contract that is newer than that of this one, which must not undo what that did."""


def sequence_with_keys(keys: Sequence[str]) -> Column:
    """The column `_sequence`, with the keys whose changes it orders as metadata."""
    return F.col(SEQUENCE).alias(SEQUENCE, metadata={KEYS: list(keys)})


def check_stored_contract(lake: Lake, table: SilverTable | GoldTable) -> None:
    """IncompatibleContract if the stored table cannot go on under the contract. Called before any write."""
    if stored := stored_table(lake.root, table.key):
        check_contract(table, stored)


def stored_table(root: str, key: str) -> StoredTable | None:
    """The types, partition column and keys of a stored table, by its log; None where there is no table."""
    table = find_table(table_path(root, key))
    if table is None:
        return None
    columns = json.loads(table.schema().to_json())["fields"]
    keys = next((one["metadata"].get(KEYS) for one in columns if one["name"] == SEQUENCE), None)
    return StoredTable(
        types={one["name"]: _spark_type(one["type"]) for one in columns},
        partition_by=next(iter(table.metadata().partition_columns), None),
        keys=None if keys is None else tuple(keys),
    )


def _spark_type(type_: str | dict[str, Any]) -> str:
    """Spark's text of a type as a Delta log has it (PROTOCOL.md of delta-io/delta, Schema Serialization Format)."""
    if isinstance(type_, str):
        return normal_type(type_)
    if type_["type"] == "struct":
        fields = [f"{one['name']}:{_spark_type(one['type'])}" for one in type_["fields"]]
        return f"struct<{','.join(fields)}>"
    if type_["type"] == "map":
        return f"map<{_spark_type(type_['keyType'])},{_spark_type(type_['valueType'])}>"
    return f"array<{_spark_type(type_['elementType'])}>"


def refuse_newer(lake: Lake, table: SilverTable | GoldTable, written: Iterable[tuple[str, datetime]]) -> None:
    """NewerContract where something was written under another contract since this process read its own.

    written: fingerprint of the contract and time, of each thing that the table's ledger has; not looked at
        where the process is about to end
    """
    since = lake.contracts_read_at
    if since and any(fingerprint != table.fingerprint and at > since for fingerprint, at in written):
        raise NewerContract(
            f"{table.key} is kept under a newer contract than that of this process: start the process again"
        )
