"""What a step does in each layer, and its report of each day: status, verdicts, metadata and counts.

`run` does the layer's work. `audit` reads what is stored and writes nothing: a run of checks alone.
`rebuild` makes a table of silver or gold from nothing.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from medallion_assets.contracts.bronze import BronzeTable
from medallion_assets.contracts.checks import Check, Verdict
from medallion_assets.contracts.gold import GoldTable
from medallion_assets.contracts.silver import SilverTable
from medallion_assets.contracts.table import Table
from medallion_assets.lakehouse import bronze, gold, silver
from medallion_assets.lakehouse.bronze.checks import ONLY_DAY_FOLDERS
from medallion_assets.lakehouse.bronze.day_metrics import BronzeDayMetrics
from medallion_assets.lakehouse.control.run_log import BLOCKED, NO_DATA, OK
from medallion_assets.lakehouse.gold.checks import as_number
from medallion_assets.lakehouse.gold.checks import blocked_by as gold_blocked_by
from medallion_assets.lakehouse.gold.day_metrics import ExtractDayMetrics, GoldDayMetrics
from medallion_assets.lakehouse.silver.checks import STALE_DAYS, why_blocked
from medallion_assets.lakehouse.silver.checks import blocked_by as silver_blocked_by
from medallion_assets.lakehouse.silver.day_metrics import SilverDayMetrics
from medallion_assets.lakehouse.storage.lake import Lake
from medallion_assets.orchestration.assets.checks import DayMetrics, checks_of, verdicts_of
from medallion_assets.orchestration.assets.data_versions import landed_version, merged_version


@dataclass(frozen=True)
class DayReport:
    """One day of a step.

    status: OK, NO_DATA, or BLOCKED where the day was not published
    data_version: says the content; empty where the files of the table do
    reason: of a day that was not published, beside the check that says so: what there is to mend
    verdicts: check -> verdict, of the checks that there is something to say about
    counts: for the run ledger: rows_in, valid, quarantined, superseded and deleted, as far as the layer has them
    """

    day: str
    status: str
    verdicts: Mapping[str, Verdict]
    metadata: Mapping[str, Any]
    counts: Mapping[str, int]
    data_version: str = ""
    reason: str = ""

    @property
    def published(self) -> bool:
        return self.status != BLOCKED


def run(lake: Lake, table: Table, days: Collection[str]) -> list[DayReport]:
    """Brings the days up to date; gold also reports the days that it found to be touched by newer inputs."""
    if isinstance(table, BronzeTable):
        return _bronze_reports(table, bronze.ingest_days(lake, table, days))
    if isinstance(table, SilverTable):
        return silver_reports(lake, table, silver.refresh_days(lake, table, days))
    assert isinstance(table, GoldTable)
    if table.write.is_extract:
        return _extract_reports(table, gold.extract_days(lake, table, days))
    return _gold_reports(lake, table, gold.refresh_days(lake, table, days).days)


def audit(lake: Lake, table: Table, days: Collection[str]) -> list[DayReport]:
    """Counts the days again as they are stored."""
    if isinstance(table, BronzeTable):
        return _bronze_reports(table, bronze.audit_days(lake, table, days))
    if isinstance(table, SilverTable):
        return silver_reports(lake, table, silver.audit_days(lake, table, days))
    assert isinstance(table, GoldTable)
    if table.write.is_extract:
        return _extract_reports(table, gold.audit_extract_days(lake, table, days))
    metrics, newer = gold.audit_days(lake, table, days)
    return _gold_reports(
        lake, table, {day: replace(of_day, input_is_newer=newer) for day, of_day in metrics.items()}
    )


def rebuild(lake: Lake, table: SilverTable | GoldTable) -> list[DayReport]:
    """Makes the whole table anew, with the contract's columns and types. BlockedDays if a day would be lost."""
    if isinstance(table, SilverTable):
        return silver_reports(lake, table, silver.rebuild(lake, table))
    if table.write.is_extract:
        return _extract_reports(table, gold.rebuild_extract(lake, table))
    return _gold_reports(lake, table, gold.rebuild(lake, table).days)


def _bronze_reports(table: Table, days: Mapping[str, BronzeDayMetrics]) -> list[DayReport]:
    return [
        DayReport(
            day=day.day,
            status=_status(day),
            verdicts=_bronze_verdicts(table, day),
            metadata={
                "dagster/partition_row_count": day.rows,
                "files": len(day.files),
                "corrupt_rows": day.corrupt,
                **({"read_as": dict(day.notes)} if day.notes else {}),
            },
            counts={"rows_in": day.rows, "valid": day.rows - day.corrupt},
            data_version=landed_version(day.files),
        )
        for day in days.values()
    ]


def _bronze_verdicts(table: Table, day: BronzeDayMetrics) -> dict[str, Verdict]:
    """What lies beside the days of a source is told once, also with a day that has no data for that very reason."""
    verdicts = verdicts_of(checks_of(table), day)
    verdicts.pop(ONLY_DAY_FOLDERS.name, None)
    told = {} if day.beside is None else {ONLY_DAY_FOLDERS.name: ONLY_DAY_FOLDERS.evaluate(day)}
    return verdicts | told


def silver_reports(lake: Lake, table: SilverTable, days: Mapping[str, SilverDayMetrics]) -> list[DayReport]:
    stale, checks = silver.stale_days(lake, table), checks_of(table)
    behind = silver.files_not_in_bronze(lake, table, days)
    days = {
        name: replace(day, stale_days=stale, not_in_bronze=behind.get(name, ())) for name, day in days.items()
    }
    return [_silver_report(table, checks, day) for day in days.values()]


def _silver_report(table: SilverTable, checks: Collection[Check[Any]], day: SilverDayMetrics) -> DayReport:
    blocked_by = silver_blocked_by(table, day)
    return DayReport(
        day=day.day,
        status=_status(day, blocked=blocked_by is not None),
        reason=why_blocked(table, day, blocked_by) if blocked_by else "",
        verdicts={
            **verdicts_of(checks, day),
            # Also of a day that has no data: it has some that bronze has not taken.
            **({STALE_DAYS.name: STALE_DAYS.evaluate(day)} if day.not_in_bronze else {}),
        },
        metadata={
            "dagster/partition_row_count": day.total("current"),
            **{name: day.total(name) for name in ("superseded", "deleted", "void", "quarantined")},
            "waterfall": _waterfall(day),
            **({} if day.quality_score is None else {"quality_score": day.quality_score}),
            **({"not_in_bronze": len(day.not_in_bronze)} if day.not_in_bronze else {}),
        },
        counts={
            "rows_in": day.total("rows"),
            "valid": day.judged - day.total("quarantined"),
            **{name: day.total(name) for name in ("quarantined", "superseded", "deleted")},
        },
        data_version=merged_version(day.files),
    )


def _waterfall(day: SilverDayMetrics) -> str:
    """Such as "9,568 landed = 9,438 current + 61 superseded + 69 quarantined"."""
    found = {name: day.total(name) for name in ("current", "superseded", "deleted", "void", "quarantined")}
    parts = [f"{rows:,} {name}" for name, rows in found.items() if rows]
    return f"{day.total('rows'):,} landed = {' + '.join(parts) or 0}"


def _gold_reports(lake: Lake, table: GoldTable, days: Mapping[str, GoldDayMetrics]) -> list[DayReport]:
    """Of a table that is computed whole all days have the same metrics: the verdicts are given once, with the last."""
    whole, calendar, checks = table.write.replaces_whole, set(lake.calendar), checks_of(table)
    outside = {} if whole else gold.outside_days(lake, table, lake.calendar)
    return [
        DayReport(
            day=name,
            status=_status(day, blocked=gold_blocked_by(table, day) is not None),
            verdicts=verdicts_of(checks, replace(day, outside_days=outside.get(name, ())))
            if not whole or name == max(days)
            else {},
            metadata={
                "dagster/row_count" if whole else "dagster/partition_row_count": day.rows,
                **{total: as_number(value) for total, value in day.written.items() if value is not None},
            },
            counts={"rows_in": day.facts, "valid": day.rows},
        )
        for name, day in days.items()
        if name in calendar
    ]


def _extract_reports(table: Table, days: Mapping[str, ExtractDayMetrics]) -> list[DayReport]:
    return [
        DayReport(
            day=day.day,
            status=_status(day, blocked=not day.whole),
            verdicts=verdicts_of(checks_of(table), day),
            metadata={"dagster/partition_row_count": day.loaded, "broken": day.broken},
            counts={"rows_in": day.rows, "valid": day.rows - day.broken},
        )
        for day in days.values()
    ]


def _status(day: DayMetrics, *, blocked: bool = False) -> str:
    return BLOCKED if blocked else OK if day.has_data else NO_DATA
