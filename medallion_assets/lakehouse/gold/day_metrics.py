"""What gold's rows come to beside their facts: totals, grain and signs, in one pass over each."""

from collections.abc import Mapping
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
    """

    day: str
    rows: int = 0
    facts: int = 0
    repeated: int = 0
    negative: int = 0
    written: Mapping[str, Any] = field(default_factory=dict)
    expected: Mapping[str, Any] = field(default_factory=dict)

    @property
    def reconciles(self) -> bool:
        return self.written == self.expected

    @property
    def is_complete(self) -> bool:
        return bool(self.rows) == bool(self.facts)

    def blocked_by(self, table: GoldTable) -> str | None:
        """The blocking check that keeps the day from being written."""
        if self.repeated:
            return "grain_unique"  # before the totals, which a row that comes twice puts out, too
        return None if self.reconciles else "reconciles_with_silver"


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
