"""`control/refreshes`: of which versions of its inputs each gold table was last computed. Kept by delta-rs.

Written after the table is: a run that ends in between computes once more what is there already.
"""

import json
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

import pyarrow as pa
from deltalake import DeltaTable, write_deltalake

from medallion_assets.contracts.table import Table
from medallion_assets.lakehouse.storage.lake import table_path
from medallion_assets.lakehouse.storage.locks import one_writer
from medallion_assets.lakehouse.storage.predicates import literal

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


def revert_since(root: str, table: Table, since: datetime) -> int:
    """The table's row becomes what it was before `since`, or goes: the next run computes every day then."""
    path = table_path(root, KEY)
    if not DeltaTable.is_deltatable(path):
        return 0
    with one_writer(root, KEY):
        now, before = _row(path, table, None), _row(path, table, since)
        if now == before:
            return 0
        predicate = f"table_name = {literal(table.key)}"
        write_deltalake(
            path, pa.Table.from_pylist(before, schema=_SCHEMA), mode="overwrite", predicate=predicate
        )
        return 1


def _row(path: str, table: Table, before: datetime | None) -> list[dict[str, Any]]:
    """The table's row of now, or of before a time; none where that is no more to be had."""
    kept = DeltaTable(path)
    if before:
        versions = [c["version"] for c in kept.history() if c["timestamp"] < before.timestamp() * 1000]
        try:
            kept.load_as_version(max(versions))
        except Exception:  # delta-rs raises several types for a version whose log or files were removed
            return []
    return kept.to_pyarrow_table(filters=[("table_name", "=", table.key)]).to_pylist()


def record_refresh(root: str, table: Table, inputs: Versions) -> None:
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
