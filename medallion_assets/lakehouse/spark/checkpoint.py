"""Rows that are computed once and read several times, the same each time."""

from pyspark import StorageLevel
from pyspark.sql import DataFrame


def checkpointed(rows: DataFrame) -> DataFrame:
    """The rows as executors keep them, without the plan that led to them.

    On a cluster two executors keep each part: one may be lost, and the rows are still there.
    """
    if (rows.sparkSession.conf.get("spark.master", None) or "local").startswith("local"):
        return rows.localCheckpoint()
    return rows.localCheckpoint(storageLevel=StorageLevel.MEMORY_AND_DISK_2)
