"""What happens when a step fails: transient errors are retried, all others are recorded in the run log."""

import random
import traceback
from collections.abc import Collection, Generator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Protocol

import dagster as dg
from pydantic import Field

from medallion_assets.lakehouse.control.run_log import FAILED, PipelineError, RunEntry, append, record_error
from medallion_assets.lakehouse.control.small_table import now
from medallion_assets.lakehouse.monitoring.retryable_errors import is_retryable


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


class RejectedPartitions(dg.Failure):
    """Days that a blocking check rejected. The other days are done; a retry would give the same result."""

    def __init__(self, rejected: Mapping[str, str]):
        """rejected: day -> asset and check, such as "silver/orders row_conservation"."""
        days = "1 day was" if len(rejected) == 1 else f"{len(rejected)} days were"
        listed = "; ".join(f"{day}: {check}" for day, check in sorted(rejected.items()))
        super().__init__(  # pyright: ignore[reportUnknownMemberType]
            f"{days} rejected by a blocking check: {listed}",
            metadata={"bad_days": sorted(rejected)},
            allow_retries=False,
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

    RetryRequested if the error is transient and an attempt is left; else the error itself, once it is recorded.
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
    kind = type(error)
    return PipelineError(
        pipeline=pipeline,
        asset=asset,
        day=day,
        run_id=run_id,
        error_class=f"{kind.__module__}.{kind.__qualname__}",
        message=str(error) if not isinstance(error, dg.Failure) else error.description or "",
        traceback="".join(traceback.format_exception(error)),
        timestamp=at,
        attempt=attempt,
    )


def span(days: Collection[str]) -> str:
    """A day, or first..last."""
    return "" if not days else min(days) if len(days) == 1 else f"{min(days)}..{max(days)}"
