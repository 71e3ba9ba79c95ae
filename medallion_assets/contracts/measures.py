"""Measures of gold: SQL aggregates over the facts of one cell of the grain, and how a day's total follows from them.

What a measure is of, is a column of the facts or an SQL expression over them; a text that is a column's name is that
column, as in `count("order-id")`.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import ClassVar

from medallion_assets.contracts.sql_text import quoted_name


@dataclass(frozen=True)
class Measure:
    """`aggregate` is Spark SQL over the facts of a cell; empty where the transform computes it from the cells.

    total: the SQL function that makes a day's total of its cells (sum, min, max); empty where none can
    signed: it may be negative
    of: a column or an SQL expression, which stands for `{}` in `aggregate`
    """

    aggregate: str
    total: str = ""
    signed: bool = False
    of: str = ""

    kind: ClassVar[str] = "measure"

    def sql(self, columns: Collection[str]) -> str:
        """The aggregate over facts that have these columns."""
        operand = quoted_name(self.of) if self.of in columns else self.of
        return self.aggregate.replace("{}", operand) if self.of else self.aggregate


def count(of: str) -> Measure:
    """Facts with a value."""
    return Measure("count({})", "sum", of=of)


def total(of: str, *, signed: bool = False) -> Measure:
    """The sum: exact for decimals, whose ten digits more are room for 10^10 facts."""
    return Measure("sum({})", "sum", signed, of)


def average(of: str, decimals: int = 2, *, signed: bool = False) -> Measure:
    """Rounded half up once: SQL's avg rounds to some digits first, and a second rounding could turn a half."""
    return Measure(f"round(sum({{}}) / count({{}}), {decimals})", signed=signed, of=of)


def count_distinct(of: str) -> Measure:
    """Different values, NULLs left out."""
    return Measure("count(DISTINCT {})", of=of)


def least(of: str, *, signed: bool = False) -> Measure:
    return Measure("min({})", "min", signed, of)


def greatest(of: str, *, signed: bool = False) -> Measure:
    return Measure("max({})", "max", signed, of)


def derived(*, signed: bool = False) -> Measure:
    """What the table's transform computes from the other columns of the cells."""
    return Measure("", signed=signed)
