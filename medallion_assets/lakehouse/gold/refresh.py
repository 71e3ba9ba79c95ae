"""Refreshes gold: the asked days, and those that its inputs affect since the last refresh, by day or as a whole.

The versions of the inputs are recorded after gold's own commit. So gold is right after any run, in whatever order the
days were run, with or without a daemon. Which days are affected is told by `staleness.py` and `changed_members.py`.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from medallion_assets.contracts.column import INGESTION_DATE
from medallion_assets.contracts.gold import GoldTable
from medallion_assets.contracts.sql_text import quoted_name
from medallion_assets.lakehouse.control.gold_refreshes import (
    Versions,
    contracts_of,
    last_refresh,
    record_refresh,
    refresh_to_build_on,
)
from medallion_assets.lakehouse.gold.changed_members import days_of_changed_members
from medallion_assets.lakehouse.gold.checks import blocked_by
from medallion_assets.lakehouse.gold.computation import computed_days, sorted_for_writing
from medallion_assets.lakehouse.gold.day_metrics import GoldDayMetrics, metrics_by_day
from medallion_assets.lakehouse.gold.staleness import (
    affected_days,
    changed_dimensions,
    every_day,
    input_versions,
)
from medallion_assets.lakehouse.gold.star_join import facts_of, live
from medallion_assets.lakehouse.spark.errors import SPARK_ERRORS
from medallion_assets.lakehouse.spark.expressions import quoted
from medallion_assets.lakehouse.storage import transaction_log
from medallion_assets.lakehouse.storage.lake import Lake
from medallion_assets.lakehouse.storage.locks import one_writer
from medallion_assets.lakehouse.storage.predicates import days_predicate
from medallion_assets.lakehouse.storage.stored_contract import check_stored_contract, refuse_newer


@dataclass(frozen=True)
class Refresh:
    """What a step did.

    days: the metrics of the asked and the affected days
    versions: the versions of the inputs that were read
    """

    days: Mapping[str, GoldDayMetrics]
    versions: Versions


def refresh_days(lake: Lake, table: GoldTable, asked: Collection[str]) -> Refresh:
    """Recomputes the asked and the affected days, or the whole table. A day that a check blocks is not written.

    IncompatibleContract where the stored table cannot go on under the contract; NewerContract.
    """
    with one_writer(lake.root, table.key):
        refuse_newer(lake, table, contracts_of(lake.root, table))
        versions = versions_now(lake, table)
        if table.write.replaces_whole:
            whole = _refresh_whole(lake, table, versions)
            return Refresh({day: replace(whole, day=day) for day in asked}, versions)
        if versions[table.inputs[0].key] is None:
            return Refresh({day: GoldDayMetrics(day) for day in asked}, versions)
        return _refresh_days(lake, table, asked, versions)


def _refresh_days(lake: Lake, table: GoldTable, asked: Collection[str], versions: Versions) -> Refresh:
    before = refresh_to_build_on(lake.root, table)
    affected = _affected_days(lake, table, before, versions)
    days = sorted({*asked, *affected})
    if not days:
        _record(lake, table, before, versions)
        return Refresh({}, versions)
    check_stored_contract(lake, table)
    # Then what is stored is what would be computed; a column that no day follows is computed for who asks.
    if before == versions and all(join.follows_all for join in table.joins):
        stored = _stored_metrics(lake, table, days, versions)
        if not any(blocked_by(table, metrics) for metrics in stored.values()):
            return Refresh(stored, versions)
    with computed_days(lake, table, versions, days) as (rows, found):
        metrics = {day: found.get(day, GoldDayMetrics(day)) for day in days}
        good = [day for day in days if not blocked_by(table, metrics[day])]
        if good:
            wanted = days_predicate(table.write.day_column, good)
            written = sorted_for_writing(table, rows.where(wanted))
            lake.replace(written, table.key, wanted, table.partition_by, good)
        if len(good) == len(days):  # else the blocked days stay affected
            _record(lake, table, before, versions)
    return Refresh(metrics, versions)


def _refresh_whole(lake: Lake, table: GoldTable, versions: Versions) -> GoldDayMetrics:
    """Writes no commit where no row differs, so that the tables below are not affected."""
    before = refresh_to_build_on(lake.root, table)
    if before == versions:
        return GoldDayMetrics("", rows=transaction_log.rows(lake.root, table.key))
    with computed_days(lake, table, versions) as (rows, found):
        metrics = found.get("", GoldDayMetrics(""))
        if not blocked_by(table, metrics):
            if _differs(lake, table, rows):
                lake.rewrite(sorted_for_writing(table, rows), table.key, None)
            _record(lake, table, before, versions)
    return metrics


def _differs(lake: Lake, table: GoldTable, rows: DataFrame) -> bool:
    if not lake.exists(table.key):
        return True
    stored = lake.read(table.key)
    if [(f.name, f.dataType) for f in stored.schema] != [(f.name, f.dataType) for f in rows.schema]:
        return True
    columns = [*map(quoted, table.column_names)]
    old, new = (frame.select(*columns, F.lit(n).alias("_n")) for frame, n in ((stored, -1), (rows, 1)))
    return not old.union(new).groupBy(*columns).agg(F.sum("_n").alias("_more")).where("_more <> 0").isEmpty()


def audit_days(lake: Lake, table: GoldTable, days: Collection[str]) -> tuple[dict[str, GoldDayMetrics], bool]:
    """The metrics of the stored rows beside the input versions that they were computed of. Writes nothing.

    Also returns whether an input is newer by now (stale).
    """
    versions = last_refresh(lake.root, table)
    if not versions:
        return {day: GoldDayMetrics(day) for day in days}, False
    newer = versions != versions_now(lake, table)
    if table.write.replaces_whole:
        rows, facts = lake.read(table.key), facts_of(lake, table, versions)
        whole = metrics_by_day(table, rows, facts).get("", GoldDayMetrics(""))
        return {day: replace(whole, day=day) for day in days}, newer
    return _stored_metrics(lake, table, days, versions), newer


def _stored_metrics(
    lake: Lake, table: GoldTable, days: Collection[str], versions: Versions
) -> dict[str, GoldDayMetrics]:
    """Of the stored rows of these days, beside the facts of these versions."""
    wanted = days_predicate(table.write.day_column, days)
    rows, facts = lake.read(table.key), facts_of(lake, table, versions)
    found = metrics_by_day(table, rows.where(wanted), facts.where(wanted))
    return {day: found.get(day, GoldDayMetrics(day)) for day in days}


def outside_days(lake: Lake, table: GoldTable, calendar: Collection[str]) -> dict[str, list[str]]:
    """Ingestion day -> event days of its facts that the calendar does not have, and "NULL" for facts without a day.

    Needs: a partition column and `_ingestion_date` in the fact table.
    """
    fact, day = table.fact, table.fact.partition_column
    if day is None:
        return {}
    event_days = transaction_log.partition_bytes(lake.root, fact.key).keys()
    outside = {value for value in event_days if value is not None} - set(calendar)
    without_day = None in event_days and transaction_log.live_rows_without_partition(lake.root, fact.key)
    if not (outside or without_day):
        return {}
    wanted = days_predicate(day, outside) if outside else "false"
    wanted += f" OR {quoted_name(day)} IS NULL" if without_day else ""
    facts = live(lake, fact, None).where(wanted)
    found: dict[str, list[str]] = {}
    for row in facts.select(INGESTION_DATE, quoted(day)).distinct().orderBy(quoted(day)).collect():
        found.setdefault(str(row[0]), []).append("NULL" if row[1] is None else str(row[1]))
    return found


def versions_now(lake: Lake, table: GoldTable) -> Versions:
    """Of the inputs; of a generated table the calendar's first and last day in one number."""
    if not table.is_generated:
        return input_versions(lake.root, table)
    return {"calendar": int(f"{min(lake.calendar)}{max(lake.calendar)}".replace("-", ""))}


def _record(lake: Lake, table: GoldTable, before: Versions, now: Versions) -> None:
    if before != now:
        record_refresh(lake.root, table, now)


def _affected_days(lake: Lake, table: GoldTable, before: Versions, now: Versions) -> set[str]:
    """Days of facts that were added or removed, and days of facts whose dimension member changed."""
    days = affected_days(lake.root, table, before)
    if not before:
        return days  # that is, every day
    try:
        for join in changed_dimensions(table, before, now):
            days |= days_of_changed_members(lake, table, join, before, now)
    except SPARK_ERRORS:  # the files of the old version were removed
        days |= every_day(lake.root, table)
    return days
