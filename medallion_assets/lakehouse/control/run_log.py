"""The journal of runs: what failed, what each asset's day came to, what each check said. Appended by delta-rs, no JVM.

`control/pipeline_errors`, `control/run_ledger` and `control/check_results`: to be asked by SQL, and read by the alerts,
the trend of each asset and `make doctor`. Nothing of the lake's own memory is in them.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime, timezone
from typing import Any, ClassVar, TypeVar, get_type_hints

import pyarrow as pa
import pyarrow.dataset as ds
from deltalake import DeltaTable, write_deltalake

from medallion_assets.lakehouse.storage.lake import table_path
from medallion_assets.lakehouse.storage.locks import one_writer
from medallion_assets.lakehouse.storage.predicates import literal

OK, NO_DATA, BLOCKED, SKIPPED, FAILED = "OK", "NO_DATA", "BLOCKED", "SKIPPED", "FAILED"


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
KINDS: tuple[type, ...] = (PipelineError, RunEntry, CheckResult)

_ARROW = {
    str: pa.string(),
    int: pa.int64(),
    float: pa.float64(),
    bool: pa.bool_(),
    datetime: pa.timestamp("us", tz="UTC"),
    int | None: pa.int64(),
    float | None: pa.float64(),
}


def now() -> datetime:
    return datetime.now(timezone.utc)


def append(root: str, rows: Sequence[Row]) -> None:
    """In one commit; the rows are of one kind."""
    if rows:
        with one_writer(root, rows[0].KEY):
            write_deltalake(table_path(root, rows[0].KEY), _data(rows), mode="append")


def record_error(root: str, error: PipelineError) -> None:
    """One row a run: what fails later in it, in another asset, is added to the row."""
    path = table_path(root, PipelineError.KEY)
    with one_writer(root, PipelineError.KEY):
        if not DeltaTable.is_deltatable(path):
            write_deltalake(path, _data([error]))
            return
        before = errors_of(root, error.run_id)
        joined = _joined(before[0], error) if before else error
        write_deltalake(
            path, _data([joined]), mode="overwrite", predicate=f"run_id = {literal(error.run_id)}"
        )


def errors_of(root: str, run_id: str) -> list[PipelineError]:
    return _read(root, PipelineError, ds.field("run_id") == run_id)


def since(root: str, kind: type[Row], moment: datetime) -> list[Row]:
    """The rows written after the moment, oldest first."""
    return sorted(_read(root, kind, ds.field("timestamp") > moment), key=lambda row: row.timestamp)


def entries_of(root: str, asset: str, first: str, last: str) -> list[RunEntry]:
    """What runs made of the asset's days from `first` to `last`, oldest run first."""
    day = ds.field("day")
    wanted = (ds.field("asset") == asset) & (day >= first) & (day <= last)
    return sorted(_read(root, RunEntry, wanted), key=lambda row: row.timestamp)


def _read(root: str, kind: type[Row], wanted: ds.Expression) -> list[Row]:
    path = table_path(root, kind.KEY)
    if not DeltaTable.is_deltatable(path):
        return []
    found = DeltaTable(path).to_pyarrow_dataset().to_table(filter=wanted)
    return [kind(**row) for row in found.to_pylist()]


def _data(rows: Sequence[Row]) -> pa.Table:
    hints = get_type_hints(type(rows[0]))
    schema = pa.schema([(field.name, _ARROW[hints[field.name]]) for field in fields(rows[0])])
    values: list[dict[str, Any]] = [asdict(row) for row in rows]
    return pa.Table.from_pylist(values, schema=schema)


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
