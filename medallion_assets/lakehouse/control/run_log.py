"""The log of runs: what failed, what each asset's day came to, what each check said.

`control/pipeline_errors`, `control/run_ledger` and `control/check_results`: to be asked by SQL, and read by the alerts,
the trend of each asset and `make doctor`. Nothing of the lake's own memory is in them.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import ClassVar, TypeVar

import pyarrow.dataset as ds

from medallion_assets.lakehouse.control.small_table import SmallTable, having
from medallion_assets.lakehouse.storage import transaction_log

OK, NO_DATA, BLOCKED, SKIPPED, FAILED = "OK", "NO_DATA", "BLOCKED", "SKIPPED", "FAILED"
RECENT = timedelta(days=31)
"""How far back from the ledger's last day the last days of all assets are looked for first."""


@dataclass(frozen=True)
class PipelineError:
    """A run that failed, one row a run. A process that was killed is noted by the sensor `failed_runs`.

    asset, day: where; several are joined by ", ", a range of days reads first..last; empty where nobody can tell
    error_class: the full name of the error's Python class
    attempt: of the step, from 1
    """

    KEY: ClassVar[str] = "control/pipeline_errors"
    pipeline: str
    asset: str
    day: str
    run_id: str
    error_class: str
    message: str
    traceback: str
    timestamp: datetime
    attempt: int = 1


@dataclass(frozen=True)
class RunEntry:
    """What a run made of one day of an asset. Counts are rows, `bytes` those of the day's files, seconds a day's share.

    status: OK, NO_DATA, BLOCKED (a blocking check held it back), SKIPPED (what it is made of was) or FAILED
    rows_in: that the step took of the day: landed rows, changes, facts; valid: those that no rule held back
    """

    KEY: ClassVar[str] = "control/run_ledger"
    asset: str
    day: str
    run_id: str
    status: str
    code_version: str
    timestamp: datetime
    rows_in: int | None = None
    valid: int | None = None
    quarantined: int | None = None
    superseded: int | None = None
    deleted: int | None = None
    bytes: int | None = None
    seconds: float | None = None
    version_before: int | None = None
    version_after: int | None = None


@dataclass(frozen=True)
class CheckResult:
    """What a check said of a day. figures: its counts, as a JSON object."""

    KEY: ClassVar[str] = "control/check_results"
    asset: str
    day: str
    run_id: str
    check_name: str
    passed: bool
    severity: str
    figures: str
    timestamp: datetime


Row = TypeVar("Row", PipelineError, RunEntry, CheckResult)

PIPELINE_ERRORS = SmallTable(PipelineError.KEY, PipelineError)
RUN_LEDGER = SmallTable(RunEntry.KEY, RunEntry)
CHECK_RESULTS = SmallTable(CheckResult.KEY, CheckResult)
RUN_LOG = (PIPELINE_ERRORS, RUN_LEDGER, CHECK_RESULTS)


def _log(kind: type[Row]) -> SmallTable[Row]:
    return next(log for log in RUN_LOG if log.row is kind)  # type: ignore[return-value]


def append(root: str, rows: Sequence[Row]) -> None:
    """In one commit; the rows are of one kind."""
    if rows:
        _log(type(rows[0])).append(root, rows)


def record_error(root: str, error: PipelineError) -> None:
    """One row a run: what fails later in it, in another asset, is added to the row."""
    PIPELINE_ERRORS.update(
        root, lambda before: [_joined(before[0], error) if before else error], run_id=error.run_id
    )


def errors_of(root: str, run_id: str) -> list[PipelineError]:
    return PIPELINE_ERRORS.read(root, having(run_id=run_id))


def since(root: str, kind: type[Row], moment: datetime) -> list[Row]:
    """The rows written after the moment, oldest first."""
    return sorted(_log(kind).read(root, ds.field("timestamp") > moment), key=lambda row: row.timestamp)


def entries_of(root: str, asset: str, first: str, last: str) -> list[RunEntry]:
    """What runs made of the asset's days from `first` to `last`, oldest run first."""
    day = ds.field("day")
    wanted = having(asset=asset) & (day >= first) & (day <= last)
    return sorted(RUN_LEDGER.read(root, wanted), key=lambda row: row.timestamp)


def last_entries_of(root: str, assets: Collection[str], day: str) -> dict[str, RunEntry]:
    """Asset -> what the last run made of the day; none of assets that no run was asked for on it."""
    entries = RUN_LEDGER.read(root, having(asset=assets, day=day))
    return {entry.asset: entry for entry in last_runs(entries).values()}


def last_days(root: str, assets: Collection[str]) -> dict[str, RunEntry]:
    """Asset -> what the last run made of its last day that has data; of its last day where none has.

    The ledger's last month is read, and all of assets that have no data in it.
    """
    last = max(transaction_log.bounds(root, RUN_LEDGER.key, "day"), default=None)
    since = str(date.fromisoformat(last) - RECENT) if last else ""
    entries = RUN_LEDGER.read(root, having(asset=assets) & (ds.field("day") >= since))
    quiet = set(assets) - {entry.asset for entry in entries if entry.status != NO_DATA}
    if quiet and since:
        entries += RUN_LEDGER.read(root, having(asset=quiet) & (ds.field("day") < since))
    runs = sorted(last_runs(entries).values(), key=lambda entry: (entry.status != NO_DATA, entry.day))
    return {entry.asset: entry for entry in runs}


def published(root: str, asset: str, days: Collection[str] | None = None) -> list[RunEntry]:
    """What runs published of these days of the asset (None: of all), oldest run first."""
    of = {"asset": asset, "status": OK} | ({} if days is None else {"day": days})
    return sorted(RUN_LEDGER.read(root, having(**of)), key=lambda entry: entry.timestamp)


def last_runs(entries: Iterable[RunEntry]) -> dict[tuple[str, str], RunEntry]:
    """Asset and day -> the entry of the last run."""
    return {(entry.asset, entry.day): entry for entry in sorted(entries, key=lambda entry: entry.timestamp)}


def _joined(before: PipelineError, error: PipelineError) -> PipelineError:
    """Two errors of one run in one row; said once where both say the same."""

    def both(name: str, mark: str) -> str:
        old, new = getattr(before, name), getattr(error, name)
        return old if new in old.split(mark) else f"{old}{mark}{new}"

    return replace(
        before,
        asset=both("asset", ", "),
        error_class=both("error_class", ", "),
        message=both("message", "\n"),
        traceback=both("traceback", "\n\n"),
        attempt=max(before.attempt, error.attempt),
    )
