"""What a step does when it fails: it tries again what may pass next time, and notes the rest in the journal."""

import random
import traceback
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

import dagster as dg
from pydantic import Field

from medallion_assets.lakehouse.control.run_log import FAILED, PipelineError, RunEntry, append, record_error
from medallion_assets.lakehouse.control.small_table import now
from medallion_assets.lakehouse.monitoring.retryable_errors import is_retryable


class RejectedPartitions(dg.Failure):
    """Days that a blocking check refused. The others are done; another attempt would find the same."""

    def __init__(self, rejected: dict[str, str]):
        why = "; ".join(f"{day}: {check} not passed" for day, check in sorted(rejected.items()))
        super().__init__(f"bad days: {why}", metadata={"bad_days": sorted(rejected)}, allow_retries=False)


class RetrySettings(dg.ConfigurableResource):
    """attempts: of a step, the first included; seconds: before the second one, doubled before each later one."""

    attempts: int = Field(default=3, ge=1)
    seconds: float = Field(default=5.0, ge=0)

    def wait(self, attempt: int) -> float:
        """Seconds to wait after this attempt. Jittered, so that steps that met do not meet again."""
        return self.seconds * 2 ** (attempt - 1) * random.uniform(0.5, 1.5)


@contextmanager
def handled(
    context: Any,
    root: str,
    retries: RetrySettings,
    asset: str = "",
    code: str = "",
    days: Collection[str] = (),
) -> Iterator[None]:
    """Around a step over these days of an asset, or around an op of a job: a failure is tried again or noted.

    code: the version of the code that was to write the days; empty where nothing is written
    """
    attempt = context.retry_number + 1
    try:
        yield
    except Exception as error:
        if attempt < retries.attempts and is_retryable(error):
            wait = retries.wait(attempt)
            context.log.warning(
                f"Attempt {attempt} of {retries.attempts} failed, the next one in {wait:.0f} s: {error}"
            )
            raise dg.RetryRequested(retries.attempts - 1, wait) from error
        try:
            _note(context, root, error, attempt, asset, code, days)
        except Exception as unnoted:  # such as a full disk: it must not hide what happened
            context.log.error(f"The failure is not in {root}/{PipelineError.KEY}: {unnoted}")
        raise


def _note(
    context: Any, root: str, error: Exception, attempt: int, asset: str, code: str, days: Collection[str]
) -> None:
    run_id, at = context.run.run_id, now()
    kind = type(error)
    record_error(
        root,
        PipelineError(
            pipeline=context.run.job_name,
            asset=asset,
            day=span(days),
            run_id=run_id,
            error_class=f"{kind.__module__}.{kind.__qualname__}",
            message=str(error) if not isinstance(error, dg.Failure) else error.description or "",
            traceback="".join(traceback.format_exception(error)),
            timestamp=at,
            attempt=attempt,
        ),
    )
    if code and not isinstance(error, RejectedPartitions):  # whose days are told one by one
        append(root, [RunEntry(asset, day, run_id, FAILED, code, at) for day in days])


def span(days: Collection[str]) -> str:
    """A day, or first..last."""
    return "" if not days else min(days) if len(days) == 1 else f"{min(days)}..{max(days)}"
