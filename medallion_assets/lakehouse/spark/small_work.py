"""Work on few rows: what Spark does to be quick with many takes longer than the work itself.

Queries on few rows are interpreted instead of compiled, planned once instead of anew after each of their stages, and
run in one partition, so that nothing is shuffled. The results are the same.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from pyspark.sql import DataFrame, SparkSession

_FEW_ROWS = 10_000
_FEW_BYTES = 2 * 2**20
_FEW_FILES = 32
"""One task would open more of them one after another."""

_FOR_FEW = {
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.sql.adaptive.enabled": "false",
}


def is_few(files: int, rows: int = 0, size: int = 0) -> bool:
    """Whether so many files, rows and bytes are little work."""
    return files <= _FEW_FILES and rows <= _FEW_ROWS and size <= _FEW_BYTES


@contextmanager
def planned_for(spark: SparkSession, few: bool) -> Iterator[None]:
    """Queries that begin in the block are planned for few rows, if they have few."""
    before = {name: spark.conf.get(name) or "" for name in _FOR_FEW} if few else {}
    for name in before:
        spark.conf.set(name, _FOR_FEW[name])
    try:
        yield
    finally:
        for name, value in before.items():
            spark.conf.set(name, value)


def gathered(rows: DataFrame, few: bool) -> DataFrame:
    """The rows; in one partition where they are few."""
    return rows.coalesce(1) if few else rows
