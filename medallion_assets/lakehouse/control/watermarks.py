"""`control/watermarks`: how far each table followed its source. Kept by delta-rs, after the data is committed.

The last SUCCESS counts. Without one the source is read whole again, which is harmless.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

import pyarrow as pa
from deltalake import DeltaTable, write_deltalake

from medallion_assets.contracts.watermark import SourceOffset
from medallion_assets.lakehouse.storage.lake import table_path
from medallion_assets.lakehouse.storage.locks import one_writer
from medallion_assets.lakehouse.storage.predicates import literal

SUCCESS, FAILED, NO_DATA = "SUCCESS", "FAILED", "NO_DATA"
KEY = "control/watermarks"
KEPT = 100
"""Rows kept of a table: sensors read them at every tick."""

_SCHEMA = pa.schema(
    [
        ("table_name", pa.string()),
        ("watermark_value", pa.string()),
        ("status", pa.string()),
        ("rows", pa.int64()),
        ("run_id", pa.string()),
        ("updated_at", pa.timestamp("us", tz="UTC")),
        ("held", pa.int64()),
        ("stamp", pa.string()),
    ]
)


@dataclass(frozen=True)
class Watermark:
    """`rows` were written by the run; `held` and `stamp` tell the source's state then (see `SourceOffset`)."""

    table_name: str
    watermark_value: str | None
    status: str
    rows: int
    run_id: str
    updated_at: datetime
    held: int = 0
    stamp: str = ""


def watermarks(root: str) -> dict[str, list[Watermark]]:
    """Table -> its rows, oldest first."""
    path = table_path(root, KEY)
    found: dict[str, list[Watermark]] = {}
    if DeltaTable.is_deltatable(path):
        for row in DeltaTable(path).to_pyarrow_table().sort_by("updated_at").to_pylist():
            found.setdefault(row["table_name"], []).append(Watermark(**row))
    return found


def last_success(rows: list[Watermark]) -> SourceOffset | None:
    """None where the source was never read, or its watermark was reset."""
    last = next((row for row in reversed(rows) if row.status == SUCCESS), None)
    if last is None or last.watermark_value is None:
        return None
    return SourceOffset(last.watermark_value, last.held, last.stamp)


def last_offset(root: str, table: str) -> SourceOffset | None:
    return last_success(watermarks(root).get(table, []))


def record(root: str, table: str, status: str, offset: SourceOffset | None, rows: int, run_id: str) -> None:
    """Adds a row for the table. `offset` None is the beginning: the next run reads the source whole."""
    with one_writer(root, KEY):
        before = watermarks(root).get(table, [])
        now = datetime.now(timezone.utc)
        if before:  # the last row is the newest, whatever clock wrote the one before
            now = max(now, before[-1].updated_at + timedelta(microseconds=1))
        value, held, stamp = (offset.value, offset.row_count, offset.state_token) if offset else (None, 0, "")
        kept = before[-KEPT + 1 :]
        if not any(row.status == SUCCESS for row in kept):  # failing for long must not lose the last success
            kept = [row for row in before if row.status == SUCCESS][-1:] + kept
        _replace(root, table, [*kept, Watermark(table, value, status, rows, run_id, now, held, stamp)])


def revert_since(root: str, table: str, since: datetime) -> int:
    """Removes the table's rows of `since` or later; returns how many."""
    with one_writer(root, KEY):
        before = watermarks(root).get(table, [])
        kept = [row for row in before if row.updated_at < since]
        if len(kept) < len(before):
            _replace(root, table, kept)
        return len(before) - len(kept)


def _replace(root: str, table: str, rows: list[Watermark]) -> None:
    values: list[Mapping[str, Any]] = [asdict(row) for row in rows]
    data = pa.Table.from_pylist(values, schema=_SCHEMA)
    path = table_path(root, KEY)
    if DeltaTable.is_deltatable(path):
        write_deltalake(path, data, mode="overwrite", predicate=f"table_name = {literal(table)}")
    else:
        write_deltalake(path, data, partition_by=["table_name"])
