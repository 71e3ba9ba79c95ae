"""`control/expiries`: up to which time the tombstones and quarantined rows of a table were purged. Kept by delta-rs.

Silver is what its changes fold to, less the tombstones before this horizon. So a key that silver does not hold may have
been deleted: what is older than the horizon, of such a key, must ask bronze. Written before the rows are removed: after
a crash in between too much is asked of bronze, never too little.
"""

from datetime import datetime, timezone

import pyarrow as pa
from deltalake import DeltaTable, write_deltalake
from pyspark.sql import Column as Expression
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from medallion_assets.lakehouse.storage import literal, one_writer, table_path

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


def note_horizon(root: str, table: str, horizon: datetime) -> None:
    """Replaces the table's horizon; the caller sees to it that it never moves back."""
    row = {"table_name": table, "horizon": horizon, "recorded_at": datetime.now(timezone.utc)}
    data, path = pa.Table.from_pylist([row], schema=_SCHEMA), table_path(root, KEY)
    with one_writer(root, KEY):
        if DeltaTable.is_deltatable(path):
            write_deltalake(path, data, mode="overwrite", predicate=f"table_name = {literal(table)}")
        else:
            write_deltalake(path, data)


def change_time(changes: DataFrame) -> Expression:
    """When a change was made: the first column of its sequence if that is a time, else its ingestion day."""
    return F.col(_timed_column(changes) or "_ingestion_date").cast("timestamp")


def is_before(time: Expression, horizon: datetime) -> Expression:
    return time < F.lit(horizon.isoformat()).cast("timestamp")


def is_expired(changes: DataFrame, horizon: datetime) -> Expression:
    """Whether the change would leave a tombstone that is purged."""
    return F.col("_is_delete") & is_before(change_time(changes), horizon)


def may_be_outdated(changes: DataFrame, horizon: datetime) -> Expression:
    """Whether a purged tombstone can come after the change; a number says nothing of the time, so there any may."""
    return is_before(change_time(changes), horizon) if _timed_column(changes) else F.lit(True)


def _timed_column(changes: DataFrame) -> str | None:
    first = changes.schema["_sequence"].dataType.fields[0]  # type: ignore[attr-defined]
    return f"_sequence.{first.name}" if first.dataType.typeName() in ("timestamp", "date") else None
