"""A step of gold: the asked days and the days that its inputs touched since the last success, each replaced whole.

The versions of the inputs are kept with gold's own commit, so that gold is right after any run, in whatever order the
days were run and with or without a daemon.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from pyspark.errors import PySparkException
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from medallion_assets.contracts.table import Join, ReplaceDay, Table
from medallion_assets.lakehouse import log
from medallion_assets.lakehouse.behind import (
    Versions,
    every_day,
    input_versions,
    last_success,
    moved_joins,
    touched_days,
)
from medallion_assets.lakehouse.formats.layout import quoted
from medallion_assets.lakehouse.storage import Lake, days_predicate, one_writer


@dataclass(frozen=True)
class GoldDay:
    """One event day: its rows, and each additive measure as gold has it and as silver has it before the joins."""

    day: str
    rows: int = 0
    written: Mapping[str, Any] = field(default_factory=dict)
    expected: Mapping[str, Any] = field(default_factory=dict)

    @property
    def reconciles(self) -> bool:
        return self.written == self.expected


@dataclass(frozen=True)
class Refresh:
    """What a step did. `days` holds the asked and the touched days; `versions` are those of the inputs read."""

    days: Mapping[str, GoldDay]
    versions: Versions


def refresh_days(lake: Lake, table: Table, asked: Collection[str]) -> Refresh:
    """Recomputes the asked and the touched days; a day that does not reconcile with silver is not written."""
    with one_writer(lake.root, table.key):
        versions = input_versions(lake.root, table)
        if versions[table.inputs[0].key] is None:
            return Refresh({day: GoldDay(day) for day in asked}, versions)
        before = last_success(lake.root, table)
        days = sorted(set(asked) | _touched_days(lake, table, before, versions))
        if not days:
            return Refresh({}, versions)
        facts = _facts(lake, table, versions).where(days_predicate(_day(table), days)).persist()
        rows = computed(lake, table, facts, versions).persist()
        figures = _compare(table, rows, facts, days)
        good = [day for day in days if figures[day].reconciles]
        if good:
            # Days that did not reconcile stay touched: the versions move on only when all days were written.
            inputs = versions if len(good) == len(days) else before
            note = {"inputs": inputs, "fingerprint": table.fingerprint}
            wanted = days_predicate(_day(table), good)
            lake.replace(rows.where(wanted), table.key, wanted, table.partition_by, note)
        rows.unpersist()
        facts.unpersist()
        return Refresh(figures, versions)


def reconcile_days(lake: Lake, table: Table, days: Collection[str]) -> tuple[dict[str, GoldDay], bool]:
    """Compares what is written with silver as it was then; also says whether an input is newer by now (stale)."""
    versions = last_success(lake.root, table)
    if not versions:
        return {day: GoldDay(day) for day in days}, False
    wanted = days_predicate(_day(table), days)
    facts = _facts(lake, table, versions).where(wanted)
    return _compare(table, lake.read(table.key).where(wanted), facts, days), versions != input_versions(
        lake.root, table
    )


def outside_days(lake: Lake, table: Table, calendar: Collection[str]) -> dict[str, list[str]]:
    """Event days of the facts that the calendar does not have, by the ingestion day that brought them."""
    fact = table.inputs[0]
    outside = {day for day in log.partition_bytes(lake.root, fact.key) if day is not None} - set(calendar)
    if not outside:
        return {}
    facts = _live(lake, fact, None).where(days_predicate(_day(table), outside))
    found: dict[str, list[str]] = {}
    for row in facts.select("_ingestion_date", _day(table)).distinct().orderBy(_day(table)).collect():
        found.setdefault(str(row[0]), []).append(str(row[1]))
    return found


def _day(table: Table) -> str:
    assert isinstance(table.write, ReplaceDay)
    return table.write.column


def _touched_days(lake: Lake, table: Table, before: Versions, now: Versions) -> set[str]:
    """Days of facts that were added or removed, and days of facts whose dimension member changed."""
    days = touched_days(lake.root, table, before)
    try:
        for join in moved_joins(table, before, now):
            days |= _days_of_changed_members(lake, table, join, before, now)
    except PySparkException:  # the old version's files are no more
        days |= every_day(lake.root, table)
    return days


def _days_of_changed_members(
    lake: Lake, table: Table, join: Join, before: Versions, now: Versions
) -> set[str]:
    old, new = (
        _members(lake, join, join.followed, versions.get(join.table.key)) for versions in (before, now)
    )
    changed = old.exceptAll(new).union(new.exceptAll(old)).select(join.on).distinct()
    days = _facts(lake, table, now).join(changed, join.on, "left_semi").select(_day(table)).distinct()
    return {str(row[0]) for row in days.collect()}


def _live(lake: Lake, table: Table, version: int | None) -> DataFrame:
    rows = lake.read(table.key, version)
    return rows.where("_deleted_at IS NULL") if "_deleted_at" in rows.columns else rows


def _facts(lake: Lake, table: Table, versions: Versions) -> DataFrame:
    """The live facts, with only those columns that the lineage of the table's columns names."""
    fact = table.inputs[0]
    prefix = f"{fact.layer}.{fact.name}."
    named_by_lineage = {
        name.removeprefix(prefix) for c in table.columns for name in c.lineage if name.startswith(prefix)
    }
    columns = sorted({_day(table), *named_by_lineage, *(join.on for join in table.joins)})
    return _live(lake, fact, versions[fact.key]).where(table.where).select(*columns)


def _members(lake: Lake, join: Join, columns: Collection[str], version: int | None) -> DataFrame:
    """The live members of a joined table at a version; none where there is no table yet."""
    columns = [join.on, *columns]
    if version is None:
        types = {column.name: column.type for column in join.table.columns}
        return lake.spark.createDataFrame([], ", ".join(f"{name} {types[name]}" for name in columns))
    return _live(lake, join.table, version).select(*columns)


def computed(lake: Lake, table: Table, facts: DataFrame, versions: Versions) -> DataFrame:
    """The transform of the facts and the joined members, with the contract's columns and types."""
    assert table.transform is not None
    joined = [_members(lake, join, join.columns, versions[join.table.key]) for join in table.joins]
    rows = table.transform(facts, *joined)
    created = F.current_timestamp().alias("_gold_created_timestamp")
    return rows.select(*[quoted(c.name).cast(c.type).alias(c.name) for c in table.columns], created)


def _compare(table: Table, rows: DataFrame, facts: DataFrame, days: Collection[str]) -> dict[str, GoldDay]:
    day, names = _day(table), [name for name, _ in table.totals]
    sums = [F.sum(name).alias(name) for name in names]
    written = {str(row[0]): row for row in rows.groupBy(day).agg(F.count("*").alias("rows"), *sums).collect()}
    aggregates = [F.expr(aggregate).alias(name) for name, aggregate in table.totals]
    expected = {str(row[0]): row for row in facts.groupBy(day).agg(*aggregates).collect()}
    return {
        d: GoldDay(
            day=d,
            rows=written[d]["rows"] if d in written else 0,
            written={name: written[d][name] for name in names} if d in written else {},
            expected={name: expected[d][name] for name in names} if d in expected else {},
        )
        for d in days
    }
