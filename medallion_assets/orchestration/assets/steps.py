"""What a step does in each layer, and what it reports of each day: metadata, and a verdict for each check.

`writes=False` is a run of checks alone: the day is read and validated, and nothing is written.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from medallion_assets.contracts.bronze import BronzeTable
from medallion_assets.contracts.freshness import is_off
from medallion_assets.contracts.gold import GoldTable
from medallion_assets.contracts.silver import SilverTable
from medallion_assets.contracts.table import Table
from medallion_assets.lakehouse import bronze, gold, silver
from medallion_assets.lakehouse.control.run_log import BLOCKED, NO_DATA, OK
from medallion_assets.lakehouse.gold.day_metrics import GoldDayMetrics
from medallion_assets.lakehouse.gold.direct_etl import ExtractDayMetrics
from medallion_assets.lakehouse.silver.day_metrics import SilverDayMetrics
from medallion_assets.lakehouse.storage.lake import Lake
from medallion_assets.orchestration.assets.checks import (
    HAS_DATA,
    Verdict,
    bronze_verdicts,
    extract_verdicts,
    gold_verdicts,
    number,
    silver_verdicts,
)


@dataclass(frozen=True)
class DayReport:
    """`published` says that the day may be shown as materialized.

    validated: the verdicts are told; of a table that is computed whole those of the last day are those of all
    counts: for the run ledger: rows_in, valid, quarantined, superseded and deleted, as far as the layer has them
    """

    day: str
    verdicts: Mapping[str, Verdict]
    metadata: Mapping[str, Any]
    published: bool = True
    validated: bool = True
    counts: Mapping[str, int] = field(default_factory=dict)

    @property
    def status(self) -> str:
        return self.metadata["status"] if self.published else BLOCKED

    def verdict(self, check: str) -> Verdict | None:
        """None where there is nothing to validate: of a day without data just that it has none."""
        if not self.validated or (self.metadata["status"] == NO_DATA and check != HAS_DATA.name):
            return None
        return self.verdicts.get(check)


def report_bronze(lake: Lake, table: BronzeTable, days: Collection[str], writes: bool) -> list[DayReport]:
    landed = (bronze.ingest_days if writes else bronze.audit_days)(lake, table, days)
    return [
        DayReport(
            day,
            bronze_verdicts(table, figures),
            {
                "status": OK if figures.files else NO_DATA,
                "dagster/partition_row_count": figures.rows,
                "files": len(figures.files),
                "corrupt_rows": figures.corrupt,
            },
            counts={"rows_in": figures.rows, "valid": figures.rows - figures.corrupt},
        )
        for day, figures in landed.items()
    ]


def report_silver(lake: Lake, table: SilverTable, days: Collection[str], writes: bool) -> list[DayReport]:
    return silver_reports(
        lake, table, (silver.refresh_days if writes else silver.audit_days)(lake, table, days)
    )


def silver_reports(lake: Lake, table: SilverTable, folded: Mapping[str, SilverDayMetrics]) -> list[DayReport]:
    stale = silver.stale_days(lake, table)
    return [
        DayReport(
            day,
            silver_verdicts(table, figures, stale),
            {
                "status": OK if figures.landed else NO_DATA,
                "dagster/partition_row_count": figures.total("current"),
                **{name: figures.total(name) for name in ("rows", "superseded", "deleted", "quarantined")},
                **({"quality_score": figures.quality_score} if figures.quality_score is not None else {}),
            },
            published=figures.blocked_by(table) is None,
            counts={
                "rows_in": figures.total("rows"),
                "valid": figures.total("rows") - figures.total("quarantined"),
                **{name: figures.total(name) for name in ("quarantined", "superseded", "deleted")},
            },
        )
        for day, figures in folded.items()
    ]


def report_gold(lake: Lake, table: GoldTable, days: Collection[str], writes: bool) -> list[DayReport]:
    if writes:
        figures, newer = gold.refresh_days(lake, table, days).days, False
    else:
        figures, newer = gold.audit_days(lake, table, days)
    return gold_reports(lake, table, figures, newer)


def gold_reports(
    lake: Lake, table: GoldTable, figures: Mapping[str, GoldDayMetrics], newer: bool = False
) -> list[DayReport]:
    """`newer`: an input has changed since."""
    whole = table.write.replaces_whole
    outside = {} if whole else gold.outside_days(lake, table, lake.calendar)
    return [
        DayReport(
            day,
            gold_verdicts(day_figures, outside.get(day, []), newer),
            {
                "status": OK if day_figures.rows or day_figures.facts else NO_DATA,
                "dagster/row_count" if whole else "dagster/partition_row_count": day_figures.rows,
                **{name: number(value) for name, value in day_figures.written.items() if value is not None},
            },
            published=day_figures.blocked_by(table) is None,
            validated=not whole or day == max(figures),
            counts={"rows_in": day_figures.facts, "valid": day_figures.rows},
        )
        for day, day_figures in figures.items()
        if day in set(lake.calendar)
    ]


def report_extract(lake: Lake, table: GoldTable, days: Collection[str], writes: bool) -> list[DayReport]:
    run_or_audit = gold.extract_days if writes else gold.audit_extract_days
    return extract_reports(run_or_audit(lake, table, days))


def extract_reports(extracted: Mapping[str, ExtractDayMetrics]) -> list[DayReport]:
    return [
        DayReport(
            day,
            extract_verdicts(figures),
            {
                "status": OK if figures.rows else NO_DATA,
                "dagster/partition_row_count": figures.loaded,
                "rows": figures.rows,
                "broken": figures.broken,
            },
            published=figures.whole,
            counts={"rows_in": figures.rows, "valid": figures.rows - figures.broken},
        )
        for day, figures in extracted.items()
    ]


def report(lake: Lake, table: Table, days: Collection[str], writes: bool) -> list[DayReport]:
    """The step of the table's layer, or that of an extract; and whether the days have the data that they should."""
    if isinstance(table, BronzeTable):
        reports = report_bronze(lake, table, days, writes)
    elif isinstance(table, SilverTable):
        reports = report_silver(lake, table, days, writes)
    else:
        assert isinstance(table, GoldTable)
        reports = (report_extract if table.write.is_extract else report_gold)(lake, table, days, writes)
    return [_with_expectation(table, one) for one in reports]


def _with_expectation(table: Table, report: DayReport) -> DayReport:
    if not table.expects_data:
        return report
    has_data = report.metadata["status"] != NO_DATA or is_off(report.day, table.days_off)
    return replace(report, verdicts={**report.verdicts, HAS_DATA.name: Verdict(has_data)})
