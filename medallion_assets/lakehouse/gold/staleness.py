"""Which inputs of a gold table changed since it was last computed, by the Delta logs: no Spark, no data.

What is computed then belongs to `refresh.py`; who asks for it to `orchestration/sensors`.
"""

from dataclasses import dataclass

from medallion_assets.contracts.gold import GoldTable, Join
from medallion_assets.lakehouse.control.gold_refreshes import Versions, last_refresh
from medallion_assets.lakehouse.storage import transaction_log


@dataclass(frozen=True)
class Staleness:
    """What changed in the inputs. A table that is computed whole has neither days nor dimensions.

    days: event days whose facts changed
    dimensions: the joins whose table changed
    before, now: the inputs' versions at the last refresh and now
    """

    days: frozenset[str]
    dimensions: tuple[Join, ...]
    before: Versions
    now: Versions


def staleness(root: str, table: GoldTable) -> Staleness | None:
    """What changed in the inputs since the last refresh; None where nothing did."""
    before, now = last_refresh(root, table), input_versions(root, table)
    if before == now or table.is_generated or now[table.inputs[0].key] is None:
        return None
    if table.write.replaces_whole:
        return Staleness(frozenset(), (), before, now)
    days, dimensions = affected_days(root, table, before), changed_dimensions(table, before, now)
    return Staleness(frozenset(days), dimensions, before, now) if days or dimensions else None


def input_versions(root: str, table: GoldTable) -> dict[str, int | None]:
    """Input -> its current version; None where there is no such table."""
    return {upstream.key: transaction_log.version(root, upstream.key) for upstream in table.upstream}


def affected_days(root: str, table: GoldTable, before: Versions) -> set[str]:
    """Days of facts that were added or removed since; all days of facts and gold where the log was cleaned since."""
    fact = table.inputs[0].key
    since = before.get(fact)
    days = transaction_log.affected_partitions(root, fact, since) if since is not None else None
    return every_day(root, table) if days is None else {day for day in days if day is not None}


def every_day(root: str, table: GoldTable) -> set[str]:
    """All days of the facts and of the gold table itself."""
    days = {
        *transaction_log.partition_bytes(root, table.inputs[0].key),
        *transaction_log.partition_bytes(root, table.key),
    }
    return {day for day in days if day is not None}


def changed_dimensions(table: GoldTable, before: Versions, now: Versions) -> tuple[Join, ...]:
    """The joins whose table changed, of those with columns that the contract follows."""
    return tuple(
        join for join in table.joins if join.followed and before.get(join.table.key) != now[join.table.key]
    )
