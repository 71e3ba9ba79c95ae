"""The ledgers of the lake, small Delta tables kept by delta-rs: which files were landed, which were folded, and how.

Each is written after the data that it speaks of, so that a crash in between repeats work and loses nothing.
"""

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime, timezone
from typing import Any, TypeVar, get_type_hints

import pyarrow as pa
from deltalake import DeltaTable, write_deltalake

from medallion_assets.contracts.file_identity import Identity
from medallion_assets.lakehouse.storage.lake import table_path
from medallion_assets.lakehouse.storage.locks import one_writer
from medallion_assets.lakehouse.storage.predicates import literal

LOADED, UNREADABLE, PENDING = "loaded", "unreadable", "pending"
IN_PROGRESS = "under way"
"""The fingerprint of files whose merge was begun and not recorded as done. No contract has it: the day is restated."""


@dataclass(frozen=True)
class LandedEntry:
    """One file, or batch of a followed source, in bronze.

    status: loaded, empty, unreadable, or pending while its rows are written
    message: what is wrong with the file now
    """

    table_name: str
    day: str
    path: str
    size: int
    modified_at: str
    status: str
    rows: int
    corrupt: int
    columns: list[str]
    message: str = ""

    @property
    def identity(self) -> Identity:
        return (self.size, self.modified_at)


@dataclass(frozen=True)
class FoldedEntry:
    """One file in silver: what became of its rows, as of the commit that folded it."""

    table_name: str
    day: str
    path: str
    size: int
    modified_at: str
    fingerprint: str
    rows: int
    current: int
    superseded: int
    deleted: int
    quarantined: int
    score_sum: float
    broken: dict[str, int] = field(default_factory=dict)

    @property
    def identity(self) -> Identity:
        return (self.size, self.modified_at)


Entry = TypeVar("Entry", LandedEntry, FoldedEntry)

_KEYS: dict[type, str] = {LandedEntry: "control/landed_files", FoldedEntry: "control/folded_files"}
_ARROW = {
    str: pa.string(),
    int: pa.int64(),
    float: pa.float64(),
    list[str]: pa.list_(pa.string()),
    dict[str, int]: pa.string(),
}


def _schema(kind: type) -> pa.Schema:
    columns = [(name, _ARROW[hint]) for name, hint in get_type_hints(kind).items()]
    return pa.schema([*columns, ("recorded_at", pa.timestamp("us", tz="UTC"))])


def entries(
    root: str, kind: type[Entry], table: str, days: Collection[str] | None = None
) -> dict[str, dict[str, Entry]]:
    """Day -> path -> entry, of the given days (None: of all)."""
    found: dict[str, dict[str, Entry]] = {day: {} for day in days or ()}
    path = table_path(root, _KEYS[kind])
    if days is not None and not days:
        return found
    if not DeltaTable.is_deltatable(path):
        return found
    filters: list[Any] = [("table_name", "=", table)] + (
        [("day", "in", sorted(days))] if days is not None else []
    )
    for row in DeltaTable(path).to_pyarrow_table(filters=filters).to_pylist():
        entry = kind(**{f.name: _decoded(f.name, row[f.name]) for f in fields(kind)})
        found.setdefault(entry.day, {})[entry.path] = entry
    return found


def days_since(root: str, kind: type[Entry], table: str, since: datetime) -> set[str]:
    """Days whose rows were recorded at `since` or later: `record` writes a day whole."""
    path = table_path(root, _KEYS[kind])
    if not DeltaTable.is_deltatable(path):
        return set()
    filters: list[Any] = [("table_name", "=", table)]
    rows = DeltaTable(path).to_pyarrow_table(columns=["day", "recorded_at"], filters=filters).to_pylist()
    return {row["day"] for row in rows if row["recorded_at"] >= since}


def record(root: str, kind: type[Entry], table: str, days: Collection[str], rows: Iterable[Entry]) -> None:
    """The ledger's rows of these days of the table become `rows`, in one commit; none for no days."""
    if not days:
        return
    key = _KEYS[kind]
    now = datetime.now(timezone.utc)
    values = [{**asdict(row), "recorded_at": now} for row in rows]
    data = pa.Table.from_pylist(
        [{n: _encoded(n, v) for n, v in row.items()} for row in values], schema=_schema(kind)
    )
    listed = ", ".join(literal(day) for day in sorted(days))
    path = table_path(root, key)
    with one_writer(root, key):
        if DeltaTable.is_deltatable(path):
            predicate = f"table_name = {literal(table)} AND day IN ({listed})"
            write_deltalake(path, data, mode="overwrite", predicate=predicate)
        else:
            write_deltalake(path, data, partition_by=["table_name"])


def _encoded(name: str, value: Any) -> Any:
    return json.dumps(value) if name == "broken" else value


def _decoded(name: str, value: Any) -> Any:
    return json.loads(value) if name == "broken" else value


def identities(files: Mapping[str, LandedEntry] | Mapping[str, FoldedEntry]) -> dict[str, Identity]:
    return {path: entry.identity for path, entry in files.items()}
