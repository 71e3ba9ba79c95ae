"""The days that somebody has to mend: why they were not published, and some of their quarantined rows."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from medallion_assets.contracts.silver import SilverTable
from medallion_assets.contracts.table import Table
from medallion_assets.lakehouse.control.run_log import FAILED
from medallion_assets.lakehouse.silver.quarantine import quarantined_examples, telling_columns
from medallion_assets.lakehouse.storage.sample_rows import shown_columns, shown_value
from medallion_assets.report.outcomes import IN_QUARANTINE, MEANINGS, Cell, reason
from medallion_assets.report.records import Records

SHOWN = 20
"""Each costs a small read: of more days the newest are shown, those that are not published first."""


@dataclass(frozen=True)
class HeldBack:
    """A day, or the days of one failed run, with up to five quarantined rows as texts."""

    cell: Cell
    days: list[str]
    reason: str
    columns: list[str] = field(default_factory=list[str])
    rows: list[list[str]] = field(default_factory=list[list[str]])

    @property
    def is_published(self) -> bool:
        return self.cell.outcome == IN_QUARANTINE

    @property
    def title(self) -> str:
        others = len(self.days) - 1
        more = f" and {others} more {'day' if others == 1 else 'days'}" if others else ""
        return f"{self.cell.table} {self.days[0]}{more}: {MEANINGS[self.cell.outcome]}"


def days_held_back(
    root: str, tables: Mapping[str, Table], cells: Iterable[Cell], records: Records
) -> tuple[list[HeldBack], int]:
    """Those that are shown, and how many more there are."""
    last, found = records.last_runs, dict[tuple[str, ...], list[Cell]]()
    for cell in (cell for cell in cells if cell.is_open):
        run = last[cell.table, cell.day]
        found.setdefault((cell.table, run.run_id if cell.outcome == FAILED else cell.day), []).append(cell)
    newest = sorted((same[::-1] for same in found.values()), key=lambda same: same[0].day, reverse=True)
    groups = sorted(newest, key=lambda same: same[0].outcome == IN_QUARANTINE)
    shown = [_held_back(root, tables.get(same[0].table), same, records) for same in groups[:SHOWN]]
    return shown, len(groups[SHOWN:])


def _held_back(root: str, table: Table | None, cells: list[Cell], records: Records) -> HeldBack:
    cell, days = cells[0], [one.day for one in cells]
    why = reason(records.last_runs[cell.table, cell.day], records)
    if not isinstance(table, SilverTable):  # or no more declared: what of it is personal is not known
        return HeldBack(cell, days, why)
    rows = quarantined_examples(root, table, cell.day)
    columns = _telling_first(table, rows) if rows else []
    return HeldBack(cell, days, why, columns, [[shown_value(row[c]) for c in columns] for row in rows])


def _telling_first(table: SilverTable, rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """The columns with a value: those that say why, and then all others."""
    columns = shown_columns(rows)
    first = telling_columns(table, rows)
    return [*dict.fromkeys(name for name in [*first, *columns] if name in columns)]
