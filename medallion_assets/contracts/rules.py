"""Row rules: a name and the SQL predicate that a good row satisfies.

A predicate sees the typed columns of the table, and the text as landed under `_landed.<column>`. NULL counts as broken.
Rules over many rows (uniqueness, totals) are table checks, not row rules.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum


class Severity(Enum):
    """What happens to a row that breaks the rule."""

    QUARANTINE = "quarantine"
    WARN = "warn"


@dataclass(frozen=True)
class Rule:
    """`predicate` is Spark SQL over one row; `columns` are the columns that it judges; `weight` counts in the score."""

    name: str
    predicate: str
    columns: tuple[str, ...]
    severity: Severity = Severity.QUARANTINE
    weight: int = 1


def not_null(column: str, severity: Severity = Severity.QUARANTINE) -> Rule:
    return Rule(f"{column}_not_null", f"{column} IS NOT NULL", (column,), severity)


def is_typed(column: str, sql_type: str) -> Rule:
    """The landed text, where there is any, could be read as the column's type."""
    name = f"{column}_is_{sql_type.split('(')[0]}"
    return Rule(name, f"{column} IS NOT NULL OR nullif(trim(_landed.{column}), '') IS NULL", (column,))


def not_negative(column: str, severity: Severity = Severity.QUARANTINE) -> Rule:
    """Judged on the landed text, before rounding, so that -0.001 does not pass as 0.00."""
    predicate = f"{column} IS NULL OR try_cast(_landed.{column} AS DOUBLE) >= 0"
    return Rule(f"{column}_not_negative", predicate, (column,), severity)


def at_most_decimals(column: str, decimals: int, severity: Severity = Severity.WARN) -> Rule:
    """The landed number has no non-zero digit after `decimals` places, so that typing rounded nothing."""
    number = f"try_cast(_landed.{column} AS DECIMAL(38, 18))"
    predicate = f"{column} IS NULL OR coalesce({number} = round({number}, {decimals}), false)"
    return Rule(f"{column}_at_most_{decimals}_decimals", predicate, (column,), severity)


def not_in_future(column: str, tolerance: timedelta) -> Rule:
    """Not further ahead of the time when the row was landed than the tolerance; NULL is left to `not_null`."""
    latest = f"_ingestion_timestamp + INTERVAL {int(tolerance.total_seconds())} SECONDS"
    return Rule(f"{column}_not_in_future", f"{column} IS NULL OR {column} <= {latest}", (column,))


def between(column: str, low: str, high: str, severity: Severity = Severity.QUARANTINE) -> Rule:
    """`low` and `high` are SQL literals, both included; NULL is left to `not_null`."""
    predicate = f"{column} IS NULL OR ({column} >= {low} AND {column} <= {high})"
    return Rule(f"{column}_between", predicate, (column,), severity)


def one_of(column: str, values: Iterable[str], severity: Severity = Severity.QUARANTINE) -> Rule:
    listed = ", ".join(f"'{value}'" for value in values)
    return Rule(f"{column}_one_of", f"{column} IN ({listed})", (column,), severity)


def matches(column: str, pattern: str, severity: Severity = Severity.QUARANTINE) -> Rule:
    """`pattern` is a regular expression that must match somewhere; NULL is left to `not_null`."""
    return Rule(f"{column}_matches", f"{column} IS NULL OR {column} RLIKE r'{pattern}'", (column,), severity)
