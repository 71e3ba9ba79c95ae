"""Measures of gold: SQL aggregates over the facts of one cell of the grain, and how a day's total follows from them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Measure:
    """`aggregate` is Spark SQL over the facts of a cell; empty where the transform computes it from the cells.

    total: the SQL function that makes a day's total of its cells (sum, min, max); empty where none can
    signed: it may be negative
    """

    aggregate: str
    total: str = ""
    signed: bool = False


def count(column: str) -> Measure:
    """Facts with a value in the column."""
    return Measure(f"count({column})", "sum")


def total(column: str, signed: bool = False) -> Measure:
    """The sum: exact for decimals, whose ten digits more are room for 10^10 facts."""
    return Measure(f"sum({column})", "sum", signed)


def average(column: str, decimals: int = 2, signed: bool = False) -> Measure:
    """Rounded half up once: SQL's avg rounds to some digits first, and a second rounding could turn a half."""
    return Measure(f"round(sum({column}) / count({column}), {decimals})", signed=signed)


def count_distinct(column: str) -> Measure:
    """Different values, NULLs left out."""
    return Measure(f"count(DISTINCT {column})")


def least(column: str, signed: bool = False) -> Measure:
    return Measure(f"min({column})", "min", signed)


def greatest(column: str, signed: bool = False) -> Measure:
    return Measure(f"max({column})", "max", signed)


def derived(signed: bool = False) -> Measure:
    """What the table's transform computes from the other columns of the cells."""
    return Measure("", signed=signed)
