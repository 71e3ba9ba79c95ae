"""Builds the report: reads the lake, and draws what there is to show of its days."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from medallion_assets.contracts.table import Table
from medallion_assets.lakehouse.control.run_log import BLOCKED, FAILED
from medallion_assets.lakehouse.control.small_table import now
from medallion_assets.report import series
from medallion_assets.report.days import days_shown, known_days
from medallion_assets.report.held_back import days_held_back
from medallion_assets.report.outcomes import heat_map
from medallion_assets.report.page import draw
from medallion_assets.report.records import Records, read_records
from medallion_assets.report.sections import sections

LATE_SHOWN = 20


@dataclass(frozen=True)
class Report:
    """html: the page; figures: name -> number; days: the first and the last, none where nothing ran.

    to_mend: a line for each day that was refused or failed, or has rows in quarantine
    """

    html: str
    figures: Mapping[str, str] = field(default_factory=dict[str, str])
    days: tuple[str, ...] = ()
    to_mend: tuple[str, ...] = ()

    @property
    def summary(self) -> str:
        """In one line."""
        span = "nothing ran yet" if not self.days else f"{self.days[0]} to {self.days[-1]}"
        return ", ".join([span, *(f"{number} {name}" for name, number in self.figures.items())])


def build_report(
    root: str, tables: Mapping[str, Table], first: str | None = None, last: str | None = None
) -> Report:
    """Of the days from `first` to `last`; see `days.days_shown` for what one of them missing means."""
    records = read_records(root, days_shown(known_days(root, tables.values()), first, last))
    if not records.runs:
        return Report(draw(lake=root, days=records.days))
    cells = heat_map(tables, records)
    held_back, more = days_held_back(root, tables, [cell for row in cells.values() for cell in row], records)
    late = series.late_days(tables.values(), records, now())
    figures = _figures(records)
    html = draw(
        lake=root,
        days=records.days,
        figures=figures,
        heat_map=cells,
        held_back=held_back,
        more_held_back=more,
        late=late[:LATE_SHOWN],
        more_late=len(late[LATE_SHOWN:]),
        sections=sections(root, tables, records),
    )
    to_mend = tuple(f"{one.title}. {one.reason}".strip() for one in held_back)
    return Report(html, figures, (records.days[0], records.days[-1]), to_mend)


def _figures(records: Records) -> dict[str, str]:
    outcomes = Counter(run.status for run in records.last_runs.values())
    silver = [entry for entry in records.folded if entry.rows]
    judged = sum(entry.rows - entry.void for entry in silver)
    score = sum(entry.score_sum for entry in silver) / judged if judged else None
    return {
        "rows landed": f"{sum(entry.rows for entry in records.landed):,}",
        "rows in quarantine": f"{sum(run.quarantined or 0 for run in records.last_runs.values()):,}",
        "refused": f"{outcomes[BLOCKED]:,}",
        "failed": f"{outcomes[FAILED]:,}",
        **({} if score is None else {"quality score": f"{score:.2f}"}),
    }


def write(report: Report, path: Path) -> None:
    """The file is whole at any time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = path.with_name(f".{path.name}.tmp")
    whole.write_text(report.html, encoding="utf-8")
    whole.replace(path)
