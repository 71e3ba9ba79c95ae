"""Checks: what must hold of one day of a table, each written once. What must hold of one row is a rule (`rules`).

Each layer of the lakehouse lists its checks and publishes no day that fails a blocking one; Dagster shows them all.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeVar

Metrics = TypeVar("Metrics")
Metrics_contra = TypeVar("Metrics_contra", contravariant=True)


@dataclass(frozen=True)
class Verdict:
    """metadata: the figures that the verdict rests on, as JSON has them."""

    passed: bool
    metadata: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True)
class Check(Generic[Metrics_contra]):
    """One check of a table.

    evaluate: the verdict on the metrics of one day
    blocking: a day that fails is not published and does not go downstream
    """

    name: str
    description: str
    evaluate: Callable[[Metrics_contra], Verdict]
    severity: Literal["WARN", "ERROR"] = "ERROR"
    blocking: bool = False


def blocking_failure(checks: Iterable[Check[Metrics]], metrics: Metrics) -> str | None:
    """The name of the first blocking check that fails; a layer lists a cause before its consequences."""
    failed = (check.name for check in checks if check.blocking and not check.evaluate(metrics).passed)
    return next(failed, None)
