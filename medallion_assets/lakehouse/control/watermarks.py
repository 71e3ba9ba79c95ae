"""`control/watermarks`: how far each table followed its source. Kept by delta-rs, after the data is committed.

The last SUCCESS counts. Without one the source is read whole again, which is harmless.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from medallion_assets.contracts.watermark import SourceOffset
from medallion_assets.lakehouse.control.small_table import SmallTable, having, now

SUCCESS, FAILED, NO_DATA = "SUCCESS", "FAILED", "NO_DATA"
KEPT = 100
"""Rows kept of a table: sensors read them at every tick."""


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


WATERMARKS = SmallTable("control/watermarks", Watermark, partition_by="table_name")


def watermarks(root: str) -> dict[str, list[Watermark]]:
    """Table -> its rows, oldest first."""
    found: dict[str, list[Watermark]] = {}
    for row in sorted(WATERMARKS.read(root), key=lambda row: row.updated_at):
        found.setdefault(row.table_name, []).append(row)
    return found


def last_success(rows: list[Watermark]) -> SourceOffset | None:
    """None where the source was never read, or its watermark was reset."""
    last = next((row for row in reversed(rows) if row.status == SUCCESS), None)
    if last is None or last.watermark_value is None:
        return None
    return SourceOffset(last.watermark_value, last.held, last.stamp)


def last_offset(root: str, table: str) -> SourceOffset | None:
    rows = WATERMARKS.read(root, having(table_name=table))
    return last_success(sorted(rows, key=lambda row: row.updated_at))


def record(root: str, table: str, status: str, offset: SourceOffset | None, rows: int, run_id: str) -> None:
    """Adds a row for the table. `offset` None is the beginning: the next run reads the source whole."""
    value, held, stamp = (offset.value, offset.row_count, offset.state_token) if offset else (None, 0, "")
    new = Watermark(table, value, status, rows, run_id, now(), held, stamp)
    WATERMARKS.update(root, lambda before: _with(before, new), table_name=table)


def _with(before: list[Watermark], new: Watermark) -> list[Watermark]:
    """The rows to keep. The new one is the newest, whatever clock wrote the one before."""
    before = sorted(before, key=lambda row: row.updated_at)
    if before:
        new = replace(new, updated_at=max(new.updated_at, before[-1].updated_at + timedelta(microseconds=1)))
    kept = before[-KEPT + 1 :]
    if not any(row.status == SUCCESS for row in kept):  # failing for long must not lose the last success
        kept = [row for row in before if row.status == SUCCESS][-1:] + kept
    return [*kept, new]


def revert_since(root: str, table: str, since: datetime) -> int:
    """Removes the table's rows of `since` or later; returns how many."""
    before, after = WATERMARKS.update(
        root, lambda rows: [row for row in rows if row.updated_at < since], table_name=table
    )
    return len(before) - len(after)
