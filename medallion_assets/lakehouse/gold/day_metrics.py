"""What gold's rows come to beside their facts: totals, grain and signs, in one pass over each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import Any

from pyspark.sql import Column as Expression
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from medallion_assets.contracts.gold import GoldTable
from medallion_assets.lakehouse.spark.expressions import quoted

_NUMBERS = ("bigint", "int", "double", "decimal")


@dataclass(frozen=True)
class GoldDayMetrics:
    """One event day, or a table that is computed whole: its rows, those of its facts, and each total of both.

    repeated: rows whose grain another row has; negative: rows with a measure below zero that may not be
    outside_days: event days outside the calendar that this day brought; input_is_newer: since gold was computed
    """

    day: str
    rows: int = 0
    facts: int = 0
    repeated: int = 0
    negative: int = 0
    written: Mapping[str, Any] = field(default_factory=dict)
    expected: Mapping[str, Any] = field(default_factory=dict)
    outside_days: Sequence[str] = ()
    input_is_newer: bool = False

    @property
    def has_data(self) -> bool:
        return bool(self.rows or self.facts)

    @property
    def reconciles(self) -> bool:
        return self.written == self.expected

    @property
    def is_complete(self) -> bool:
        return bool(self.rows) == bool(self.facts)


@dataclass(frozen=True)
class ExtractDayMetrics:
    """rows, broken: of the landed files; loaded: rows of the result; complaints: path -> what is wrong with it.

    whole: every file could be read; else the day keeps the result that it has
    """

    day: str
    rows: int = 0
    broken: int = 0
    loaded: int = 0
    complaints: Mapping[str, str] = field(default_factory=dict)
    whole: bool = True

    @property
    def has_data(self) -> bool:
        return bool(self.rows)


def metrics_by_day(table: GoldTable, rows: DataFrame, facts: DataFrame) -> dict[str, GoldDayMetrics]:
    """By event day; of a table that is computed whole under the empty name."""
    day = table.write.day_column
    by = [quoted(day).cast("string").alias("day")] if day else []
    cells = F.count_distinct(F.struct(*map(quoted, table.grain))) if table.grain else F.count("*")
    totals = {f"total_{i}": total for i, total in enumerate(table.reconciled)}
    of_rows = rows.groupBy(*by).agg(
        F.count("*").alias("rows"),
        cells.alias("cells"),
        F.count_if(_is_negative(table)).alias("negative"),
        *[F.expr(total.rows).alias(name) for name, total in totals.items()],
    )
    of_facts = facts.groupBy(*by).agg(
        F.count("*").alias("facts"), *[F.expr(total.facts).alias(name) for name, total in totals.items()]
    )
    found: dict[str, GoldDayMetrics] = {}
    for row in of_rows.collect():
        written = {total.name: row[name] for name, total in totals.items()}
        repeated, day = row["rows"] - row["cells"], row["day"] if by else ""
        found[day] = GoldDayMetrics(day, row["rows"], 0, repeated, row["negative"], written)
    for row in of_facts.collect():
        expected = {total.name: row[name] for name, total in totals.items()}
        day = row["day"] if by else ""
        found[day] = replace(found.get(day, GoldDayMetrics(day)), facts=row["facts"], expected=expected)
    return found


def _is_negative(table: GoldTable) -> Expression:
    """Whether a measure that may not be negative is."""
    numbers = [
        c for c in table.columns if c.measure and not c.measure.signed and c.type.split("(")[0] in _NUMBERS
    ]
    tests = [F.coalesce(quoted(column.name) < 0, F.lit(False)) for column in numbers]
    return reduce(lambda a, b: a | b, tests, F.lit(False))
