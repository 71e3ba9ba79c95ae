"""Full refresh of gold: every day is computed again, into a table with the contract's columns and types, in one commit.

An extract is rebuilt by `direct_etl.py`.
"""

from dataclasses import replace

from medallion_assets.contracts.gold import GoldTable
from medallion_assets.lakehouse.control.gold_refreshes import record_refresh
from medallion_assets.lakehouse.gold.checks import blocked_by
from medallion_assets.lakehouse.gold.computation import computed_days, sorted_for_writing
from medallion_assets.lakehouse.gold.day_metrics import GoldDayMetrics
from medallion_assets.lakehouse.gold.refresh import Refresh, versions_now
from medallion_assets.lakehouse.silver.full_refresh import BlockedDays
from medallion_assets.lakehouse.storage.lake import Lake
from medallion_assets.lakehouse.storage.locks import one_writer


def rebuild(lake: Lake, table: GoldTable) -> Refresh:
    """Computes the whole table from its current inputs, whatever is stored of it.

    The metrics of a table that is computed whole are those of the calendar's last day. BlockedDays if a blocking check
    fails for a day; the table is not changed then.
    """
    with one_writer(lake.root, table.key):
        versions = versions_now(lake, table)
        with computed_days(lake, table, versions) as (rows, days):
            _raise_if_blocked(table, days)
            lake.rewrite(sorted_for_writing(table, rows), table.key, table.partition_column)
            record_refresh(lake.root, table, versions)
    if table.write.replaces_whole and lake.calendar:
        last = max(lake.calendar)
        days = {last: replace(days.get("", GoldDayMetrics("")), day=last)}
    return Refresh(days, versions)


def _raise_if_blocked(table: GoldTable, days: dict[str, GoldDayMetrics]) -> None:
    checks = {day: blocked_by(table, metrics) for day, metrics in days.items()}
    blocked = {day: check for day, check in checks.items() if check}
    if blocked:
        failed = ", ".join(f"{day}: {check}" if day else check for day, check in sorted(blocked.items()))
        raise BlockedDays(
            f"{table.key} is as it was: a blocking check holds back {failed}. Correct its inputs first"
        )
