"""`control/refreshes`: of which versions of its inputs each gold table was last computed. Kept by delta-rs.

Written after the table is: a run that ends in between computes once more what is there already.
"""

import json
from collections.abc import Mapping
from datetime import datetime, timezone

import pyarrow as pa
from deltalake import DeltaTable, write_deltalake

from medallion_assets.contracts.table import Table
from medallion_assets.lakehouse.storage import literal, one_writer, table_path

KEY = "control/refreshes"
Versions = Mapping[str, int | None]
"""Input -> its version; None where there is no such table."""

_SCHEMA = pa.schema(
    [
        ("table_name", pa.string()),
        ("fingerprint", pa.string()),
        ("inputs", pa.string()),
        ("recorded_at", pa.timestamp("us", tz="UTC")),
    ]
)


def last_refresh(root: str, table: Table) -> dict[str, int | None]:
    """The inputs' versions; empty where the table was not computed under this contract, or is not there."""
    if not DeltaTable.is_deltatable(table_path(root, KEY)) or not DeltaTable.is_deltatable(
        table_path(root, table.key)
    ):
        return {}
    rows = (
        DeltaTable(table_path(root, KEY))
        .to_pyarrow_table(filters=[("table_name", "=", table.key)])
        .to_pylist()
    )
    return next((json.loads(row["inputs"]) for row in rows if row["fingerprint"] == table.fingerprint), {})


def note_refresh(root: str, table: Table, inputs: Versions) -> None:
    row = {
        "table_name": table.key,
        "fingerprint": table.fingerprint,
        "inputs": json.dumps(inputs),
        "recorded_at": datetime.now(timezone.utc),
    }
    data, path = pa.Table.from_pylist([row], schema=_SCHEMA), table_path(root, KEY)
    with one_writer(root, KEY):
        if DeltaTable.is_deltatable(path):
            write_deltalake(path, data, mode="overwrite", predicate=f"table_name = {literal(table.key)}")
        else:
            write_deltalake(path, data)
