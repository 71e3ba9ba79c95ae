"""What changed contracts will do to the lake: by fingerprints, ledgers and logs, before anything is run.

A table is changed where its rows were written under another fingerprint than that of its contract, or where the stored
table does not fit it. It is new where there is no such table and its inputs have rows.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from itertools import chain

from medallion_assets.contracts.gold import GoldTable
from medallion_assets.contracts.silver import SilverTable
from medallion_assets.contracts.stored import differences
from medallion_assets.contracts.table import Table
from medallion_assets.lakehouse.control.file_ledger import landed_rows, stale_rows
from medallion_assets.lakehouse.control.gold_refreshes import contracts_of
from medallion_assets.lakehouse.control.run_log import RunEntry, published
from medallion_assets.lakehouse.gold.staleness import every_day
from medallion_assets.lakehouse.storage import transaction_log
from medallion_assets.lakehouse.storage.stored_contract import stored_table


class Need(Enum):
    """What brings a table under its contract."""

    MATERIALIZE = "materialize"
    REPLAY = "replay"
    FULL_REFRESH = "full_refresh"


@dataclass(frozen=True)
class TablePlan:
    """A changed table.

    differs: why the stored table must be rebuilt
    days: that are stale, oldest first; none of a table that is computed whole
    rows: that are read again: landed rows, or those of gold's facts
    below: tables that are computed again after it
    seconds: that the last runs of these days took; None where no run is recorded
    """

    table: Table
    need: Need
    differs: tuple[str, ...]
    days: tuple[str, ...]
    rows: int
    below: tuple[str, ...]
    seconds: float | None


def plan(root: str, tables: Collection[Table]) -> list[TablePlan]:
    """The changed tables, each after its inputs."""
    return [found for table in tables if (found := _table_plan(root, table, tables))]


def seconds_in_all(root: str, plans: Iterable[TablePlan], tables: Collection[Table]) -> float:
    """What the last runs of the changed tables and of all below them took; a table counts once."""
    asked: dict[str, list[tuple[str, ...]]] = {}
    for one in plans:
        for key in (one.table.key, *one.below):
            asked.setdefault(key, []).append(one.days)
    # After a change of a table without days any day may be computed again.
    days = {key: () if () in of_key else {*chain(*of_key)} for key, of_key in asked.items()}
    return sum(_seconds(root, table, days[table.key]) or 0.0 for table in tables if table.key in days)


def _table_plan(root: str, table: Table, tables: Collection[Table]) -> TablePlan | None:
    """None for bronze, and where the contract changes nothing."""
    if not isinstance(table, SilverTable | GoldTable):
        return None
    stored = stored_table(root, table.key)
    differs = tuple(differences(table, stored)) if stored else ()
    rows = _all_rows(root, table) if differs else _stale_rows(root, table, stored is not None)
    if not rows:
        return None
    to_replay = stored and isinstance(table, SilverTable)
    need = Need.FULL_REFRESH if differs else Need.REPLAY if to_replay else Need.MATERIALIZE
    days = tuple(sorted(day for day in rows if day))
    below = [key for key in _below(table, tables) if transaction_log.version(root, key) is not None]
    seconds = _seconds(root, table, days)
    return TablePlan(table, need, differs, days, sum(rows.values()), tuple(below), seconds)


def _stale_rows(root: str, table: SilverTable | GoldTable, is_stored: bool) -> Mapping[str, int]:
    """Day -> rows to read again, "" for those of no day; empty where the contract changes nothing."""
    if isinstance(table, SilverTable):
        return stale_rows(root, table.key, table.fingerprint) if is_stored else _all_rows(root, table)
    if table.write.is_extract:
        return {
            run.day: run.rows_in or 0 for run in _last(root, table) if run.code_version != table.fingerprint
        }
    if is_stored:
        known = [fingerprint for fingerprint, _ in contracts_of(root, table)]
        return _all_rows(root, table) if known and table.fingerprint not in known else {}
    has_facts = any(transaction_log.version(root, fact.key) is not None for fact in table.inputs)
    return _all_rows(root, table) if has_facts else {}


def _all_rows(root: str, table: SilverTable | GoldTable) -> Mapping[str, int]:
    """The same of a table that is made anew: what landed for silver and extracts, the facts for other gold."""
    if isinstance(table, SilverTable):
        return landed_rows(root, [source.key for source in table.inputs])
    if table.write.is_extract:
        return {run.day: run.rows_in or 0 for run in _last(root, table)}
    rows = transaction_log.rows(root, (table.inputs[0] if table.inputs else table).key)
    days = [] if table.write.replaces_whole else every_day(root, table)
    return dict.fromkeys(days, 0) | {"": rows}


def _below(table: Table, tables: Iterable[Table]) -> list[str]:
    """The gold tables that are computed again after a change of this one, nearest first."""
    changed = [table.key]
    for other in tables:
        if isinstance(other, GoldTable):
            follows = [join.table.key for join in other.joins if join.followed or other.write.replaces_whole]
            if {*follows, *other.input_keys} & {*changed}:
                changed.append(other.key)
    return changed[1:]


def _seconds(root: str, table: Table, days: Collection[str]) -> float | None:
    """Of the last run of each of these days (all where none is named), or of the whole table."""
    if table.write.replaces_whole:
        runs = published(root, table.key)
        last = [run for run in runs if run.run_id == runs[-1].run_id]
    else:
        last = _last(root, table, days or None)
    return round(sum(run.seconds or 0.0 for run in last), 1) if last else None


def _last(root: str, table: Table, days: Collection[str] | None = None) -> Collection[RunEntry]:
    """What the last run published of each day."""
    return {run.day: run for run in published(root, table.key, days)}.values()
