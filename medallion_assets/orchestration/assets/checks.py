"""All checks of a table, as Dagster shows them: those of its layer, and whether a day has the data it should have.

What a check asserts is written in `lakehouse/<layer>/checks.py`: a new check is one more entry there.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

import dagster as dg

from medallion_assets.contracts.bronze import BronzeTable
from medallion_assets.contracts.checks import Check, Verdict
from medallion_assets.contracts.freshness import is_off
from medallion_assets.contracts.gold import GoldTable
from medallion_assets.contracts.silver import SilverTable
from medallion_assets.contracts.table import Table
from medallion_assets.lakehouse.bronze.checks import bronze_checks
from medallion_assets.lakehouse.gold.checks import extract_checks, gold_checks
from medallion_assets.lakehouse.silver.checks import silver_checks
from medallion_assets.orchestration.assets.specs import key_of

HAS_DATA = "has_data"


class DayMetrics(Protocol):
    """What the metrics of each layer have."""

    @property
    def day(self) -> str: ...

    @property
    def has_data(self) -> bool: ...


def checks_of(table: Table) -> list[Check[Any]]:
    """Their `evaluate` takes the metrics of the table's layer."""
    return [*([_has_data(table)] if table.expects_data else []), *_checks_of_layer(table)]


def blocking_checks(tables: Iterable[Table]) -> list[dg.AssetCheckKey]:
    return [
        dg.AssetCheckKey(key_of(table), check.name)
        for table in tables
        for check in checks_of(table)
        if check.blocking
    ]


def verdicts_of(checks: Iterable[Check[Any]], metrics: DayMetrics) -> dict[str, Verdict]:
    """Check -> verdict; of a day without data only whether it should have some."""
    return {c.name: c.evaluate(metrics) for c in checks if metrics.has_data or c.name == HAS_DATA}


def first_rejection(checks: Iterable[Check[Any]], verdicts: Mapping[str, Verdict]) -> str | None:
    """The first of the checks that blocks the day."""
    failed = {name for name, verdict in verdicts.items() if not verdict.passed}
    return next((check.name for check in checks if check.blocking and check.name in failed), None)


def _checks_of_layer(table: Table) -> list[Check[Any]]:
    if isinstance(table, BronzeTable):
        return [*bronze_checks(table)]
    if isinstance(table, SilverTable):
        return [*silver_checks(table)]
    assert isinstance(table, GoldTable)
    return [*extract_checks()] if table.write.is_extract else [*gold_checks(table)]


def _has_data(table: Table) -> Check[DayMetrics]:
    """Not a check of the lakehouse, which stores an empty day like any other: it only stops what comes after it."""
    return Check(
        HAS_DATA,
        "The day has data, unless it is a day off.",
        lambda day: Verdict(day.has_data or is_off(day.day, table.days_off)),
        blocking=True,
    )
