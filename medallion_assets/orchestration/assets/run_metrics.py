"""What is measured of every step alike: seconds, bytes, versions, and how a day's rows compare with the week's."""

import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cached_property
from statistics import mean

from medallion_assets.contracts.sql_text import quoted_name
from medallion_assets.contracts.table import Table
from medallion_assets.lakehouse.control import run_log
from medallion_assets.lakehouse.control.small_table import now
from medallion_assets.lakehouse.storage import transaction_log
from medallion_assets.lakehouse.storage.lake import Lake
from medallion_assets.orchestration.assets.data_versions import digest
from medallion_assets.orchestration.assets.specs import day_column
from medallion_assets.orchestration.assets.steps import DayReport

TREND = timedelta(days=7)
"""A day's rows are compared with the mean of the days before it."""


@dataclass(frozen=True)
class Start:
    """When a step began, and the version of the table then."""

    version: int | None
    seconds: float = field(default_factory=time.monotonic)


@dataclass(frozen=True)
class RunMetrics:
    """Of a step that ended over these days.

    before, after: the table's version, None where it does not exist
    seconds: each day's share of the step's time; files: partition -> path -> bytes
    """

    table: Table
    lake: Lake
    before: int | None
    after: int | None
    seconds: float
    files: Mapping[str | None, Mapping[str, int]]
    rows: Mapping[str, int]

    @cached_property
    def known_rows(self) -> Mapping[str, int]:
        """Day -> the rows that came in, of these days and of those before them in the run ledger."""
        if not self.rows:
            return {}
        first = date.fromisoformat(min(self.rows)) - TREND
        entries = run_log.entries_of(self.lake.root, self.table.key, str(first), max(self.rows))
        return {entry.day: entry.rows_in for entry in entries if entry.rows_in is not None} | dict(self.rows)

    def metadata(self, day: str) -> dict[str, int | float | str]:
        first = str(date.fromisoformat(day) - TREND)
        week = [rows for other, rows in self.known_rows.items() if first <= other < day]
        trend = {"rows_in_week_mean": round(mean(week), 1)} if week else {}
        return {
            "rows_in": self.rows[day],
            **trend,
            "seconds": self.seconds,
            "mebibytes": round(self._size(day) / 2**20, 3),
            "delta_version": self.after or 0,
            "query": self._query(day),
        }

    def _query(self, day: str) -> str:
        """The rows of the day, for any engine that reads Delta by path."""
        column = day_column(self.table)
        of_day = f" WHERE {quoted_name(column)} = DATE '{day}'" if column else ""
        return f"SELECT * FROM delta.`{self.lake.path(self.table.key)}`{of_day}"

    def entry(self, report: DayReport) -> run_log.RunEntry:
        """The day's row of the run ledger."""
        return replace(
            self._entry(report.day, report.status),
            bytes=self._size(report.day),
            seconds=self.seconds,
            version_before=self.before,
            version_after=self.after,
            **report.counts,
        )

    def skipped(self, day: str) -> run_log.RunEntry:
        """The row of a day that an input held back."""
        return self._entry(day, run_log.SKIPPED)

    def _entry(self, day: str, status: str) -> run_log.RunEntry:
        key, code = self.table.key, self.table.fingerprint
        return run_log.RunEntry(key, day, self.lake.run_id, status, code, now())

    def data_version(self, report: DayReport) -> str:
        """Says the content of the day: it stays the same where a run changes nothing.

        Of bronze and silver by the landed files that the ledger has; of gold by the table's files of the day.
        """
        return report.data_version or digest(self._files(report.day).keys())

    def _size(self, day: str) -> int:
        return sum(self._files(day).values())

    def _files(self, day: str) -> Mapping[str, int]:
        """Path -> bytes, of the day; of the whole table where it is not partitioned."""
        if self.table.partition_column and not self.table.write.replaces_whole:
            return self.files.get(day, {})
        return {path: size for files in self.files.values() for path, size in files.items()}


def measured(lake: Lake, table: Table, start: Start, reports: Collection[DayReport]) -> RunMetrics:
    """Of a step that ends now."""
    return RunMetrics(
        table=table,
        lake=lake,
        before=start.version,
        after=transaction_log.version(lake.root, table.key),
        seconds=round((time.monotonic() - start.seconds) / max(len(reports), 1), 3),
        files=transaction_log.partition_files(lake.root, table.key),
        rows={report.day: report.counts["rows_in"] for report in reports},
    )
