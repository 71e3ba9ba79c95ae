"""The ledgers of the lake, small Delta tables kept by delta-rs: which files were landed, which were folded, and how.

Each is written after the data that it speaks of, so that a crash in between repeats work and loses nothing.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, TypeVar

import pyarrow.dataset as ds

from medallion_assets.contracts.file_identity import Identity
from medallion_assets.lakehouse.control.small_table import SmallTable, having, now

LOADED, UNREADABLE, PENDING = "loaded", "unreadable", "pending"
KEPT = "kept"
"""The status of a file that is unreadable now, of which bronze keeps the rows that it had."""
IN_PROGRESS = "under way"
"""The fingerprint, of no contract, of files whose merge was begun and not recorded as done: they are merged again."""


@dataclass(frozen=True)
class LandedEntry:
    """One file, or batch of a followed source, in bronze.

    status: loaded, empty, unreadable, kept (unreadable now: size, time and rows are those that bronze has of it), or
        pending while its rows are written
    message: for people, what is wrong with the file now
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
    recorded_at: datetime = field(default_factory=now, compare=False)

    @property
    def identity(self) -> Identity:
        return (self.size, self.modified_at)

    @property
    def has_rows(self) -> bool:
        """Whether bronze has all rows of this state of the file."""
        return self.status in (LOADED, KEPT)


@dataclass(frozen=True)
class FoldedEntry:
    """One file in silver: what became of its rows, as of the commit that folded it.

    void: rows that are ignored, as the contract says
    undecided: changes that content alone told from another of their key; they have an outcome beside this
    """

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
    void: int = 0
    undecided: int = 0
    recorded_at: datetime = field(default_factory=now, compare=False)

    @property
    def identity(self) -> Identity:
        return (self.size, self.modified_at)


Entry = TypeVar("Entry", LandedEntry, FoldedEntry)

LANDED_FILES = SmallTable("control/landed_files", LandedEntry, partition_by="table_name")
FOLDED_FILES = SmallTable("control/folded_files", FoldedEntry, partition_by="table_name")


def _ledger(kind: type[Entry]) -> SmallTable[Entry]:
    return next(ledger for ledger in (LANDED_FILES, FOLDED_FILES) if ledger.row is kind)  # type: ignore[return-value]


def entries(
    root: str, kind: type[Entry], table: str, days: Collection[str] | None = None
) -> dict[str, dict[str, Entry]]:
    """Day -> path -> entry, of the given days (None: of all)."""
    found: dict[str, dict[str, Entry]] = {day: {} for day in days or ()}
    if days is not None and not days:
        return found
    of = {"table_name": table} | ({} if days is None else {"day": sorted(days)})
    for entry in _ledger(kind).read(root, having(**of)):
        found.setdefault(entry.day, {})[entry.path] = entry
    return found


def columns(root: str, kind: type[Entry], table: str, *names: str) -> list[tuple[Any, ...]]:
    """These columns of all entries of the table."""
    return _ledger(kind).columns(root, *names, where=having(table_name=table))


def stale_rows(root: str, table: str, fingerprint: str) -> dict[str, int]:
    """Day -> rows that silver merged under another contract than that of the fingerprint."""
    other = ~ds.field("fingerprint").isin([fingerprint, IN_PROGRESS])
    return _rows_by_day(FOLDED_FILES, root, having(table_name=table) & other)


def landed_rows(root: str, tables: Collection[str]) -> dict[str, int]:
    """Day -> rows that bronze has in these tables; no days without rows."""
    return _rows_by_day(LANDED_FILES, root, having(table_name=tables) & (ds.field("rows") > 0))


def _rows_by_day(ledger: SmallTable[Any], root: str, where: ds.Expression) -> dict[str, int]:
    found: dict[str, int] = {}
    for day, rows in ledger.columns(root, "day", "rows", where=where):
        found[day] = found.get(day, 0) + rows
    return found


def days_since(root: str, kind: type[Entry], table: str, since: datetime) -> set[str]:
    """Days whose rows were recorded at `since` or later: `record` writes a day whole."""
    recent = having(table_name=table) & (ds.field("recorded_at") >= since)
    return {entry.day for entry in _ledger(kind).read(root, recent)}


def record(root: str, kind: type[Entry], table: str, days: Collection[str], rows: Iterable[Entry]) -> None:
    """The ledger's rows of these days of the table become `rows`, in one commit; none for no days."""
    if days:
        at = now()
        _ledger(kind).replace(
            root, [replace(row, recorded_at=at) for row in rows], table_name=table, day=days
        )


def identities(files: Mapping[str, LandedEntry] | Mapping[str, FoldedEntry]) -> dict[str, Identity]:
    return {path: entry.identity for path, entry in files.items()}
