"""What became of each day of each table: the heat map, and why a day is not published."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from medallion_assets.contracts.days import TableDay
from medallion_assets.lakehouse.control.run_log import BLOCKED, FAILED, NO_DATA, OK, SKIPPED, RunEntry
from medallion_assets.report.records import Records

IN_QUARANTINE, NOT_RUN = "IN_QUARANTINE", "NOT_RUN"
MEANINGS = {
    OK: "published",
    IN_QUARANTINE: "published, with rows in quarantine",
    BLOCKED: "refused by a blocking check",
    FAILED: "the run failed",
    SKIPPED: "an input was refused",
    NO_DATA: "no data",
    NOT_RUN: "no run",
}
LONGEST_REASON = 600


@dataclass(frozen=True)
class Cell:
    """A day of a table. outcome: a status of the run ledger, IN_QUARANTINE or NOT_RUN."""

    table: str
    day: str
    outcome: str
    rows: int | None = None
    quarantined: int | None = None

    @property
    def is_open(self) -> bool:
        """Whether somebody has something to mend."""
        return self.outcome in (BLOCKED, FAILED, IN_QUARANTINE)

    @property
    def text(self) -> str:
        rows = "" if self.rows is None else f", {self.rows:,} rows"
        quarantined = f", {self.quarantined:,} in quarantine" if self.quarantined else ""
        return f"{self.table} {self.day}: {MEANINGS[self.outcome]}{rows}{quarantined}"


def heat_map(tables: Iterable[str], records: Records) -> dict[str, list[Cell]]:
    """Table -> a cell for each day: the given tables in their order, then others that runs wrote."""
    last = records.last_runs
    keys = dict.fromkeys([*tables, *sorted(table for table, _ in last)])
    return {key: [_cell(key, day, last) for day in records.days] for key in keys}


def _cell(table: str, day: str, last: Mapping[TableDay, RunEntry]) -> Cell:
    run = last.get((table, day))
    if run is None:
        return Cell(table, day, NOT_RUN)
    outcome = IN_QUARANTINE if run.status == OK and run.quarantined else run.status
    return Cell(table, day, outcome, run.rows_in, run.quarantined)


def reason(run: RunEntry, records: Records) -> str:
    """Why the day was not published: what the run's error says of it, or else its checks; empty of one that was."""
    error = records.errors.get(run.run_id, "")
    if run.status == BLOCKED:
        return _refusal(error, run) or _failed_checks(run, records)
    return error[:LONGEST_REASON] if run.status == FAILED else ""


def _refusal(error: str, run: RunEntry) -> str:
    """The part of the message of `RejectedPartitions` that is about the day."""
    another = r"(?=; \d{4}-\d\d-\d\d: |\n|$)"
    found = re.search(rf"\b{run.day}: {re.escape(run.asset)} (.*?){another}", error)
    return found[1] if found else ""


def _failed_checks(run: RunEntry, records: Records) -> str:
    checks = [
        check
        for check in records.failed_checks
        if (check.asset, check.day, check.run_id, check.severity) == (run.asset, run.day, run.run_id, "ERROR")
    ]
    return "; ".join(f"{check.check_name}: {_figures(check.figures)}" for check in checks)


def _figures(text: str) -> str:
    return ", ".join(f"{name} {value}" for name, value in json.loads(text or "{}").items())
