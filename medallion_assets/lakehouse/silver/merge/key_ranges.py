"""Key ranges for data skipping: by the statistics of its files, a MERGE reads only those that can hold a key.

The ranges are read from the changes themselves, one for each partition value that they bring, so that they hold
whatever the data does; where keys ascend with time they are narrow, where keys are random they prune nothing.
"""

from collections.abc import Collection
from datetime import date
from decimal import Decimal
from functools import reduce
from typing import Any

from pyspark.sql import Column as Expression
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from medallion_assets.contracts.silver import SilverTable
from medallion_assets.lakehouse.spark.expressions import quoted
from medallion_assets.lakehouse.storage import transaction_log
from medallion_assets.lakehouse.storage.lake import Lake

WORTH_BYTES = 64 * 2**20
"""A smaller table is read sooner than the ranges are found."""

MAX_RANGES = 64

_ORDERED_ALIKE = (str, int, bool, Decimal, date)
"""What Python hands back and orders as Spark does. A timestamp would come and go by the zone of this machine."""

KeyRange = tuple[tuple[Any, Any], ...]
"""For each key column the least and the greatest value."""


def key_ranges(lake: Lake, table: SilverTable, changes: DataFrame) -> list[KeyRange]:
    """Ranges that hold every key of the changes; none where looking for them is not worth it.

    Needs: the key columns and the partition column.
    """
    if sum(transaction_log.partition_bytes(lake.root, table.key).values()) < WORTH_BYTES:
        return []
    bounds = [bound(quoted(key)) for key in table.merge_keys for bound in (F.min, F.max)]
    grouped = changes.groupBy(quoted(table.partition_by)) if table.partition_by else changes.groupBy()
    skipped = 1 if table.partition_by else 0
    found = [_pairs(row[skipped:]) for row in grouped.agg(*bounds).collect() if row[skipped] is not None]
    if any(type(bound) not in _ORDERED_ALIKE for one in found for pair in one for bound in pair):
        return []
    return found if len(found) <= MAX_RANGES else [reduce(_hull, found)]


def in_ranges(table: SilverTable, ranges: Collection[KeyRange], of: str = "") -> Expression:
    """Whether a row's keys lie in one of the ranges; true without any.

    of: the alias of the rows, where there is one
    """
    if not ranges:
        return F.lit(True)
    keys = [quoted(key, of) for key in table.merge_keys]
    return reduce(lambda a, b: a | b, [_inside(keys, one) for one in ranges])


def _inside(keys: list[Expression], one: KeyRange) -> Expression:
    tests = [(key >= F.lit(low)) & (key <= F.lit(high)) for key, (low, high) in zip(keys, one, strict=True)]
    return reduce(lambda a, b: a & b, tests)


def _pairs(bounds: tuple[Any, ...]) -> KeyRange:
    return tuple(zip(bounds[::2], bounds[1::2], strict=True))


def _hull(a: KeyRange, b: KeyRange) -> KeyRange:
    return tuple((min(x[0], y[0]), max(x[1], y[1])) for x, y in zip(a, b, strict=True))
