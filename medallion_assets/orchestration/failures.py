"""What happens when a step fails: transient errors are retried, all others are recorded in the run log."""

import random
import traceback
from collections.abc import Collection, Generator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Protocol

import dagster as dg
from dagster._core.errors import DagsterUserCodeProcessError
from dagster_shared.error import SerializableErrorInfo
from pydantic import Field

from medallion_assets.errors import MedallionError
from medallion_assets.lakehouse.control.run_log import FAILED, PipelineError, RunEntry, append, record_error
from medallion_assets.lakehouse.control.small_table import now
from medallion_assets.lakehouse.monitoring.retryable_errors import is_retryable

Metadata = Mapping[str, Any]


class RunContext(Protocol):
    """What the contexts of an asset's step and of a job's op have in common."""

    @property
    def run(self) -> dg.DagsterRun: ...

    @property
    def instance(self) -> dg.DagsterInstance: ...

    @property
    def log(self) -> dg.DagsterLogManager: ...

    @property
    def retry_number(self) -> int: ...


class ExplainedFailure(DagsterUserCodeProcessError, dg.Failure):
    """A failure that its text explains: people see the text, and no stack of Dagster's frames.

    Dagster stores what a `DagsterUserCodeProcessError` brings along as it is; of all other errors it adds the stack.
    """

    def __init__(self, text: str, kind: type[Exception] | None = None, metadata: Metadata | None = None):
        """kind: the class of the error that the text is of, where that is another."""
        shown = SerializableErrorInfo(f"{text}\n", [], class_name(kind or type(self)))
        super().__init__(  # pyright: ignore[reportUnknownMemberType]
            text, user_code_process_error_infos=[shown], metadata=metadata, allow_retries=False
        )


class RejectedPartitions(ExplainedFailure):
    """Days that a blocking check rejected. The other days are done; a retry would give the same result."""

    def __init__(self, rejected: Mapping[str, str]):
        """rejected: day -> asset and check, such as "silver/orders row_conservation"."""
        days = "1 day was" if len(rejected) == 1 else f"{len(rejected)} days were"
        listed = "; ".join(f"{day}: {check}" for day, check in sorted(rejected.items()))
        super().__init__(
            f"{days} rejected by a blocking check: {listed}", metadata={"bad_days": sorted(rejected)}
        )


class RetrySettings(dg.ConfigurableResource[None]):
    """attempts: of a step, the first included; seconds: before the second one, doubled before each later one."""

    attempts: int = Field(default=3, ge=1)
    seconds: float = Field(default=5.0, ge=0)

    def wait(self, attempt: int) -> float:
        """Seconds to wait after this attempt; random within limits, so that two steps do not collide again."""
        return self.seconds * 2 ** (attempt - 1) * random.uniform(0.5, 1.5)


@contextmanager
def handled(
    context: RunContext,
    root: str,
    retries: RetrySettings,
    asset: str = "",
    code: str = "",
    days: Collection[str] = (),
) -> Generator[None, None, None]:
    """Surrounds a step over these days of an asset, or an op of a job; root: of the lake.

    code: the version of the code that was to write the days; empty where nothing is written

    RetryRequested if the error is transient and an attempt is left. Else, once it is recorded: ExplainedFailure for an
    error that says what to mend, or the error itself, with its stack.
    """
    attempt = context.retry_number + 1
    try:
        yield
    except Exception as error:
        if attempt < retries.attempts and is_retryable(error):
            wait = retries.wait(attempt)
            context.log.warning(
                f"Attempt {attempt} of {retries.attempts} failed; the next one follows in {wait:.0f} s: {error}"
            )
            raise dg.RetryRequested(retries.attempts - 1, wait) from error
        try:
            _record(context, root, error, asset, code, days)
        except Exception as unrecorded:  # such as a full disk: it must not hide the first error
            context.log.error(f"The error could not be written to {root}/{PipelineError.KEY}: {unrecorded}")
        if isinstance(error, MedallionError):
            raise ExplainedFailure(str(error), type(error)) from None
        raise


def _record(
    context: RunContext, root: str, error: Exception, asset: str, code: str, days: Collection[str]
) -> None:
    run_id, at, attempt = context.run.run_id, now(), context.retry_number + 1
    record_error(root, as_row(error, context.run.job_name, asset, span(days), run_id, at, attempt))
    if code and not isinstance(error, RejectedPartitions):  # whose days have their own entries
        append(root, [RunEntry(asset, day, run_id, FAILED, code, at) for day in days])


def as_row(
    error: Exception, pipeline: str, asset: str, day: str, run_id: str, at: datetime, attempt: int
) -> PipelineError:
    """The error as the run log keeps it."""
    return PipelineError(
        pipeline=pipeline,
        asset=asset,
        day=day,
        run_id=run_id,
        error_class=class_name(type(error)),
        message=str(error) if not isinstance(error, dg.Failure) else error.description or "",
        traceback="".join(traceback.format_exception(error)),
        timestamp=at,
        attempt=attempt,
    )


def class_name(kind: type[Exception]) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


def span(days: Collection[str]) -> str:
    """A day, or first..last."""
    return "" if not days else min(days) if len(days) == 1 else f"{min(days)}..{max(days)}"
