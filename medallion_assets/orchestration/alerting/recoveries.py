"""What is still wrong, and what has come right again: a later run has answered it, or the state has ended."""

from collections.abc import Callable, Collection, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from medallion_assets.lakehouse.control.run_log import (
    NO_DATA,
    OK,
    CheckResult,
    PipelineError,
    RunEntry,
    last_runs,
)
from medallion_assets.orchestration.alerting.incidents import check_cause, error_cause

STATES = ("late ", "stream ", "sensor ")
"""What the causes begin with that last as long as they are seen. (Those of runs begin with an asset or a job.)"""
_Row = TypeVar("_Row", CheckResult, PipelineError)


@dataclass(frozen=True)
class Situation:
    """What runs and looks have told.

    errors, failed: of runs, and not answered by a later one
    states: causes that are seen now; answered: causes of runs
    """

    errors: list[PipelineError]
    failed: list[CheckResult]
    states: Collection[str]
    answered: Collection[str]

    def is_over(self, cause: str) -> bool:
        return cause in self.answered or (cause.startswith(STATES) and cause not in self.states)


def situation_of(
    errors: Sequence[PipelineError],
    checks: Iterable[CheckResult],
    entries: Iterable[RunEntry],
    states: Collection[str],
) -> Situation:
    """checks, entries: those since the first error, passed and failed, of runs that have ended."""
    checks = _last(checks, lambda check: (check.asset, check.check_name, check.day))
    latest = last_runs(entries).values()
    open_errors = [error for error in _last(errors, error_cause) if not _is_answered(error, latest)]
    open_causes = {error_cause(error) for error in open_errors}
    answered = {error_cause(error) for error in errors} - open_causes
    answered |= {check_cause(check) for check in checks if check.passed}
    return Situation(open_errors, [check for check in checks if not check.passed], states, answered)


def _is_answered(error: PipelineError, latest: Collection[RunEntry]) -> bool:
    """Whether later runs brought days that it was about, and none of its days is bad.

    latest: the last entry of each day. An error of no known asset is never answered, since nobody can tell.
    """
    first, _, last = error.day.partition("..")
    for asset in error.asset.split(", "):
        days = [
            entry
            for entry in latest
            if entry.asset == asset and (not first or first <= entry.day <= (last or first))
        ]
        # Entries of days that the error did not touch are older than it.
        if not any(entry.timestamp > error.timestamp for entry in days):
            return False
        if any(entry.status not in (OK, NO_DATA) for entry in days):
            return False
    return True


def _last(rows: Iterable[_Row], of: Callable[[_Row], Hashable]) -> list[_Row]:
    found = {of(row): row for row in sorted(rows, key=lambda row: row.timestamp)}
    return sorted(found.values(), key=lambda row: row.timestamp)
