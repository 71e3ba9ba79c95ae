"""The metrics of a day of gold: rows and totals beside those of its facts, grain and signs, in one pass over each.

Whether they are good is decided by the checks.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import Any

from pyspark.sql import Column as Expression
from pyspark.sql import DataFrame, GroupedData, Row
from pyspark.sql import functions as F

from medallion_assets.contracts.gold import GoldTable
from medallion_assets.lakehouse.spark.expressions import quoted

_NUMBERS = ("bigint", "int", "double", "decimal")


@dataclass(frozen=True)
class GoldDayMetrics:
    """One event day, or a table that is computed whole.

    rows, facts: how many rows gold has, and how many facts they were computed of
    repeated: rows whose grain another row has
    negative: rows with a negative measure that must not be negative
    written, expected: the totals of gold's rows, and the same of its facts
    outside_days: event days outside the calendar that this day brought
    input_is_newer: an input changed since gold was computed
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
    """One ingestion day of a table that is made of landed files.

    rows, broken: rows of the landed files, and how many of them break a rule
    loaded: rows of the result
    complaints: path -> what is wrong with the file and how to fix it
    notes: path -> how the file was read, where that is not the usual way
    whole: every file could be read; else the day keeps the result that it has
    """

    day: str
    rows: int = 0
    broken: int = 0
    loaded: int = 0
    complaints: Mapping[str, str] = field(default_factory=dict)
    notes: Mapping[str, str] = field(default_factory=dict)
    whole: bool = True

    @property
    def has_data(self) -> bool:
        return bool(self.rows)


def metrics_by_day(table: GoldTable, rows: DataFrame, facts: DataFrame) -> dict[str, GoldDayMetrics]:
    """Day -> its metrics; of a table that is computed whole the one key is empty.

    Needs: the table's columns in `rows`; its day and what its totals name in `facts`.
    """
    found: dict[str, GoldDayMetrics] = {}
    both = _of_rows(table, rows).unionByName(_of_facts(table, facts), allowMissingColumns=True)
    for row in both.collect():  # in one query, since two are planned twice
        day = row["day"] if table.write.day_column else ""
        known = found.get(day, GoldDayMetrics(day))
        if row["facts"] is None:
            counts = {
                "rows": row["rows"],
                "repeated": row["rows"] - row["cells"],
                "negative": row["negative"],
            }
            found[day] = replace(known, **counts, written=_totals(table, row, "written"))
        else:
            found[day] = replace(known, facts=row["facts"], expected=_totals(table, row, "expected"))
    if any(metrics.repeated for metrics in found.values()):  # or two cells with one hash
        for row in _by_day(table, rows).agg(_cells(table, F.struct).alias("cells")).collect():
            day = row["day"] if table.write.day_column else ""
            found[day] = replace(found[day], repeated=found[day].rows - row["cells"])
    return found


def _of_rows(table: GoldTable, rows: DataFrame) -> DataFrame:
    """Returns: day, rows, cells (different hashes of the grain), negative, and a column for each total."""
    return _by_day(table, rows).agg(
        F.count("*").alias("rows"),
        _cells(table, F.xxhash64).alias("cells"),
        F.count_if(_is_negative(table)).alias("negative"),
        *[F.expr(total.rows).alias(f"written_{i}") for i, total in enumerate(table.reconciled)],
    )


def _cells(table: GoldTable, value: Callable[..., Expression]) -> Expression:
    """How many different values the grain has."""
    return F.count_distinct(value(*map(quoted, table.grain))) if table.grain else F.count("*")


def _of_facts(table: GoldTable, facts: DataFrame) -> DataFrame:
    """Returns: day, facts, and a column for each total."""
    totals = [F.expr(total.facts).alias(f"expected_{i}") for i, total in enumerate(table.reconciled)]
    return _by_day(table, facts).agg(F.count("*").alias("facts"), *totals)


def _by_day(table: GoldTable, rows: DataFrame) -> GroupedData:
    """A table that is computed whole is one group, which has a row of metrics even without rows."""
    day = table.write.day_column
    return rows.groupBy(*([quoted(day).cast("string").alias("day")] if day else []))


def _totals(table: GoldTable, row: Row, side: str) -> dict[str, Any]:
    return {total.name: row[f"{side}_{i}"] for i, total in enumerate(table.reconciled)}


def _is_negative(table: GoldTable) -> Expression:
    """Whether a measure is negative that must not be."""
    numbers = [
        c for c in table.columns if c.measure and not c.measure.signed and c.type.split("(")[0] in _NUMBERS
    ]
    tests = [F.coalesce(quoted(column.name) < 0, F.lit(False)) for column in numbers]
    return reduce(lambda a, b: a | b, tests, F.lit(False))
