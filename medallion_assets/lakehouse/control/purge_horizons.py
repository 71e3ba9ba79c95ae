"""`control/expiries`: up to which time the tombstones and quarantined rows of a table were purged. Kept by delta-rs.

Written before the rows are removed: after a crash in between too much is asked of bronze, never too little.
"""

from datetime import datetime, timezone

import pyarrow as pa
from deltalake import DeltaTable, write_deltalake

from medallion_assets.lakehouse.storage.lake import table_path
from medallion_assets.lakehouse.storage.locks import one_writer
from medallion_assets.lakehouse.storage.predicates import literal

KEY = "control/expiries"

_UTC = pa.timestamp("us", tz="UTC")
_SCHEMA = pa.schema([("table_name", pa.string()), ("horizon", _UTC), ("recorded_at", _UTC)])


def last_horizon(root: str, table: str) -> datetime | None:
    """None where nothing was ever purged."""
    path = table_path(root, KEY)
    if not DeltaTable.is_deltatable(path):
        return None
    rows = DeltaTable(path).to_pyarrow_table(filters=[("table_name", "=", table)]).to_pylist()
    return rows[0]["horizon"] if rows else None


def record_horizon(root: str, table: str, horizon: datetime) -> None:
    """Replaces the table's horizon; the caller sees to it that it never moves back."""
    row = {"table_name": table, "horizon": horizon, "recorded_at": datetime.now(timezone.utc)}
    data, path = pa.Table.from_pylist([row], schema=_SCHEMA), table_path(root, KEY)
    with one_writer(root, KEY):
        if DeltaTable.is_deltatable(path):
            write_deltalake(path, data, mode="overwrite", predicate=f"table_name = {literal(table)}")
        else:
            write_deltalake(path, data)
