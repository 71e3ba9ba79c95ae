"""What a gold table has not taken in yet, told by the Delta logs: no Spark, no data."""

from collections.abc import Mapping
from dataclasses import dataclass

from medallion_assets.contracts.table import Join, Table
from medallion_assets.lakehouse import log

Versions = Mapping[str, int | None]


@dataclass(frozen=True)
class Behind:
    """days: event days whose facts changed; moved: the dimensions that changed; the inputs' versions then and now."""

    days: frozenset[str]
    moved: tuple[Join, ...]
    before: Versions
    now: Versions


def behind(root: str, table: Table) -> Behind | None:
    """What is newer in the inputs than at the last success; None where nothing is."""
    before, now = last_success(root, table), input_versions(root, table)
    if before == now or now[table.inputs[0].key] is None:
        return None
    days, moved = touched_days(root, table, before), moved_joins(table, before, now)
    return Behind(frozenset(days), moved, before, now) if days or moved else None


def input_versions(root: str, table: Table) -> dict[str, int | None]:
    return {upstream.key: log.version(root, upstream.key) for upstream in table.upstream}


def last_success(root: str, table: Table) -> dict[str, int | None]:
    """The inputs' versions at the last success under this contract; empty where there was none."""
    note = log.note_of_last_commit(root, table.key)
    return note.get("inputs", {}) if note.get("fingerprint") == table.fingerprint else {}


def touched_days(root: str, table: Table, before: Versions) -> set[str]:
    """Days of facts that were added or removed since; all days of facts and gold where the log no longer tells."""
    fact = table.inputs[0].key
    since = before.get(fact)
    touched = log.touched_days(root, fact, since) if since is not None else None
    return every_day(root, table) if touched is None else {day for day in touched if day is not None}


def every_day(root: str, table: Table) -> set[str]:
    days = {*log.partition_bytes(root, table.inputs[0].key), *log.partition_bytes(root, table.key)}
    return {day for day in days if day is not None}


def moved_joins(table: Table, before: Versions, now: Versions) -> tuple[Join, ...]:
    """The joins whose table changed, of those that the contract follows."""
    return tuple(
        join for join in table.joins if join.followed and before.get(join.table.key) != now[join.table.key]
    )
