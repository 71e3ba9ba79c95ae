"""Gold by day and category: of each gold table by day its chief sum, by each of its dimensions.

Which tables, sums and dimensions these are follows from the contracts: the report names no table.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import pyarrow as pa
import pyarrow.dataset as ds

from medallion_assets.contracts.gold import GoldTable
from medallion_assets.contracts.table import Table
from medallion_assets.lakehouse.storage.lake import table_path
from medallion_assets.lakehouse.storage.open_table import dataset_of, find_table
from medallion_assets.report.series import Series, Sums, by_day, largest

NONE = "(none)"


@dataclass(frozen=True)
class Breakdown:
    """A measure of a gold table by day, for each value of a dimension."""

    table: GoldTable
    measure: str
    dimension: str
    series: Series


def breakdowns(root: str, tables: Iterable[Table], days: Sequence[str]) -> Iterator[Breakdown]:
    """Of the stored tables that have rows in these days."""
    for table in tables:
        if isinstance(table, GoldTable) and (measure := chief_measure(table)):
            for dimension in dimensions(table):
                if found := _read(root, table, measure, dimension, days):
                    yield Breakdown(table, measure, dimension, found)


def chief_measure(table: GoldTable) -> str:
    """The sum to look at: the first one of an amount, or else of a count; empty where the table has no days or none."""
    sums = [name for name, measure in table.measures.items() if measure.total == "sum"]
    amounts = [name for name in sums if table.measures[name].aggregate.startswith("sum")]
    return next(iter([*amounts, *sums]), "") if table.write.day_column else ""


def dimensions(table: GoldTable) -> list[str]:
    """The columns of text of its grain."""
    return [name for name in table.grain if table.types[name] == "string"]


def _read(root: str, table: GoldTable, measure: str, dimension: str, days: Sequence[str]) -> Sums:
    """Nothing where the stored table has other columns, or no day by its type."""
    day = table.write.day_column
    stored = find_table(table_path(root, table.key))
    rows = None if stored is None else dataset_of(stored)
    types = {} if rows is None else dict(zip(rows.schema.names, rows.schema.types, strict=True))
    if rows is None or not {dimension, measure} <= types.keys() or types.get(day) != pa.date32():
        return {}
    of_days = ds.field(day).isin([date.fromisoformat(text) for text in days])
    cells = rows.to_table(columns=[dimension, day, measure], filter=of_days)
    sums = cells.group_by([dimension, day]).aggregate([(measure, "sum")])
    found = zip(*(sums[name].to_pylist() for name in (dimension, day, f"{measure}_sum")), strict=True)
    named = [(NONE if value is None else value, str(on), float(total or 0)) for value, on, total in found]
    return largest(by_day(days, named))
