"""What the control tables say of the days of the report."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import pyarrow.dataset as ds

from medallion_assets.contracts.days import TableDay
from medallion_assets.lakehouse.control.file_ledger import (
    FOLDED_FILES,
    LANDED_FILES,
    FoldedEntry,
    LandedEntry,
)
from medallion_assets.lakehouse.control.run_log import (
    BLOCKED,
    CHECK_RESULTS,
    FAILED,
    PIPELINE_ERRORS,
    RUN_LEDGER,
    CheckResult,
    RunEntry,
    last_runs,
)
from medallion_assets.lakehouse.control.small_table import having


@dataclass(frozen=True)
class Records:
    """Of these days. runs: oldest first.

    failed_checks, errors (run -> message): of the runs that left a day refused or failed
    """

    days: Sequence[str]
    runs: Sequence[RunEntry] = ()
    landed: Sequence[LandedEntry] = ()
    folded: Sequence[FoldedEntry] = ()
    failed_checks: Sequence[CheckResult] = ()
    errors: Mapping[str, str] = field(default_factory=dict[str, str])

    @cached_property
    def last_runs(self) -> dict[TableDay, RunEntry]:
        """What the last run made of each day of a table."""
        return last_runs(self.runs)


def read_records(root: str, days: Sequence[str]) -> Records:
    if not days:
        return Records(days)
    of_days = having(day=days)
    runs = sorted(RUN_LEDGER.read(root, of_days), key=lambda run: run.timestamp)
    found = Records(days, runs, LANDED_FILES.read(root, of_days), FOLDED_FILES.read(root, of_days))
    wrong = {run.run_id for run in found.last_runs.values() if run.status in (BLOCKED, FAILED)}
    return found if not wrong else _with_reasons(root, found, wrong)


def _with_reasons(root: str, found: Records, wrong: Collection[str]) -> Records:
    of_runs = having(run_id=wrong)
    failed = CHECK_RESULTS.read(root, having(day=found.days) & of_runs & ~ds.field("passed"))
    errors = {error.run_id: error.message for error in PIPELINE_ERRORS.read(root, of_runs)}
    return Records(found.days, found.runs, found.landed, found.folded, failed, errors)
