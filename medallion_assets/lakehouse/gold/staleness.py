"""What a gold table has not taken in yet, told by the Delta logs: no Spark, no data."""

from dataclasses import dataclass

from medallion_assets.contracts.gold import GoldTable, Join
from medallion_assets.lakehouse.control.gold_refreshes import Versions, last_refresh
from medallion_assets.lakehouse.storage import transaction_log


@dataclass(frozen=True)
class Staleness:
    """days: event days whose facts changed; moved: the dimensions that changed; the inputs' versions then and now.

    A table that is computed whole has neither.
    """

    days: frozenset[str]
    moved: tuple[Join, ...]
    before: Versions
    now: Versions


def staleness(root: str, table: GoldTable) -> Staleness | None:
    """What is newer in the inputs than at the last success; None where nothing is."""
    before, now = last_refresh(root, table), input_versions(root, table)
    if before == now or table.is_generated or now[table.inputs[0].key] is None:
        return None
    if table.write.replaces_whole:
        return Staleness(frozenset(), (), before, now)
    days, moved = touched_days(root, table, before), changed_dimensions(table, before, now)
    return Staleness(frozenset(days), moved, before, now) if days or moved else None


def input_versions(root: str, table: GoldTable) -> dict[str, int | None]:
    return {upstream.key: transaction_log.version(root, upstream.key) for upstream in table.upstream}


def touched_days(root: str, table: GoldTable, before: Versions) -> set[str]:
    """Days of facts that were added or removed since; all days of facts and gold where the log no longer tells."""
    fact = table.inputs[0].key
    since = before.get(fact)
    touched = transaction_log.touched_days(root, fact, since) if since is not None else None
    return every_day(root, table) if touched is None else {day for day in touched if day is not None}


def every_day(root: str, table: GoldTable) -> set[str]:
    days = {
        *transaction_log.partition_bytes(root, table.inputs[0].key),
        *transaction_log.partition_bytes(root, table.key),
    }
    return {day for day in days if day is not None}


def changed_dimensions(table: GoldTable, before: Versions, now: Versions) -> tuple[Join, ...]:
    """The joins whose table changed, of those that the contract follows."""
    return tuple(
        join for join in table.joins if join.followed and before.get(join.table.key) != now[join.table.key]
    )
