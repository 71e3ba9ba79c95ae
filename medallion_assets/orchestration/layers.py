"""What a step does in each layer, and what it reports of each day: metadata, and a verdict for each check.

`writes=False` is a run of checks alone: the day is read and judged, and nothing is written.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from medallion_assets.contracts.table import Extract, ReplaceWhole, Table
from medallion_assets.lakehouse import bronze, checking, extract, gold, silver
from medallion_assets.lakehouse.figures import FoldedDay
from medallion_assets.lakehouse.storage import Lake
from medallion_assets.orchestration.checks import (
    Verdict,
    bronze_verdicts,
    extract_verdicts,
    gold_verdicts,
    number,
    silver_verdicts,
)

NO_DATA = "NO_DATA"


@dataclass(frozen=True)
class DayReport:
    """`published` says that the day may be shown as materialized.

    judged: the verdicts are told; of a table that is computed whole those of the last day are those of all
    """

    day: str
    verdicts: Mapping[str, Verdict]
    metadata: Mapping[str, Any]
    published: bool = True
    judged: bool = True

    @property
    def has_verdicts(self) -> bool:
        """A day without data has nothing to judge."""
        return self.judged and self.metadata["status"] != NO_DATA


def report_bronze(lake: Lake, table: Table, days: Collection[str], writes: bool) -> list[DayReport]:
    landed = (bronze.land_days if writes else bronze.landed_days)(lake, table, days)
    return [
        DayReport(
            day,
            bronze_verdicts(table, figures),
            {
                "status": "OK" if figures.files else NO_DATA,
                "dagster/partition_row_count": figures.rows,
                "files": len(figures.files),
                "corrupt_rows": figures.corrupt,
            },
        )
        for day, figures in landed.items()
    ]


def report_silver(lake: Lake, table: Table, days: Collection[str], writes: bool) -> list[DayReport]:
    return silver_reports(
        lake, table, (silver.fold_days if writes else checking.check_days)(lake, table, days)
    )


def silver_reports(lake: Lake, table: Table, folded: Mapping[str, FoldedDay]) -> list[DayReport]:
    stale = checking.stale_days(lake, table)
    return [
        DayReport(
            day,
            silver_verdicts(table, figures, stale),
            {
                "status": "OK" if figures.landed else NO_DATA,
                "dagster/partition_row_count": figures.total("current"),
                **{name: figures.total(name) for name in ("rows", "superseded", "deleted", "quarantined")},
                **({"quality_score": figures.quality_score} if figures.quality_score is not None else {}),
            },
            published=figures.blocked_by(table) is None,
        )
        for day, figures in folded.items()
    ]


def report_gold(lake: Lake, table: Table, days: Collection[str], writes: bool) -> list[DayReport]:
    if writes:
        figures, newer = gold.refresh_days(lake, table, days).days, False
    else:
        figures, newer = gold.reconcile_days(lake, table, days)
    whole = isinstance(table.write, ReplaceWhole)
    outside = {} if whole else gold.outside_days(lake, table, lake.calendar)
    return [
        DayReport(
            day,
            gold_verdicts(day_figures, outside.get(day, []), newer),
            {
                "status": "OK" if day_figures.rows or day_figures.facts else NO_DATA,
                "dagster/row_count" if whole else "dagster/partition_row_count": day_figures.rows,
                **{name: number(value) for name, value in day_figures.written.items() if value is not None},
            },
            published=day_figures.blocked_by(table) is None,
            judged=not whole or day == max(figures),
        )
        for day, day_figures in figures.items()
        if day in set(lake.calendar)
    ]


def report_extract(lake: Lake, table: Table, days: Collection[str], writes: bool) -> list[DayReport]:
    return [
        DayReport(
            day,
            extract_verdicts(figures),
            {
                "status": "OK" if figures.rows else NO_DATA,
                "dagster/partition_row_count": figures.loaded,
                "rows": figures.rows,
                "broken": figures.broken,
            },
            published=figures.whole,
        )
        for day, figures in extract.extract_days(lake, table, days, writes).items()
    ]


def report(lake: Lake, table: Table, days: Collection[str], writes: bool) -> list[DayReport]:
    """The step of the table's layer, or that of an extract."""
    if isinstance(table.write, Extract):
        return report_extract(lake, table, days, writes)
    layers = {"bronze": report_bronze, "silver": report_silver, "gold": report_gold}
    return layers[table.layer](lake, table, days, writes)
