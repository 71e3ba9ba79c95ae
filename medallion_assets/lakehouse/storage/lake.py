"""Delta tables by layer and name: read, append, replace exactly the rows of a predicate.

Which rows those are, and in what order tables are written, is decided by the stages.
"""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from pyspark.sql import DataFrame, DataFrameWriter, SparkSession

from medallion_assets.lakehouse.spark.expressions import no_rows
from medallion_assets.lakehouse.storage.open_table import check_last_commit, find_table, table_exists

MARK = "userMetadata"
"""The field of a commit that holds the table's key where we wrote it: see `control/memory.py`."""
_MARK_OF_SESSION = f"spark.databricks.delta.commitInfo.{MARK}"


@dataclass(frozen=True)
class Lake:
    """Where the tables are and the session that reads and writes them. `root` is a folder or an object-store URL.

    run_id: the run that writes, as the control tables name it
    calendar: the days that have a partition
    contracts_read_at: when the process read its contracts, if it goes on for so long that others may have newer ones
    """

    spark: SparkSession
    root: str
    landing: str
    run_id: str = ""
    calendar: tuple[str, ...] = ()
    contracts_read_at: datetime | None = None

    def path(self, key: str) -> str:
        """The folder of a table, by its key `layer/name`."""
        return table_path(self.root, key)

    def exists(self, key: str) -> bool:
        """Whether there is a Delta table of that key."""
        return table_exists(self.path(key))

    def read(self, key: str, version: int | None = None) -> DataFrame:
        """The table's rows, at a version or (None) now. Spark's error where table or version is missing."""
        check_last_commit(self.path(key))
        reader = self.spark.read.format("delta")
        if version is not None:
            reader = reader.option("versionAsOf", version)
        return reader.load(self.path(key))

    def append(self, rows: DataFrame, key: str, partition_by: str | None) -> None:
        """Adds the rows in one commit. Columns that are new to the table are added to it."""
        _writer(rows, key, partition_by).mode("append").save(self.path(key))

    def replace(
        self, rows: DataFrame, key: str, predicate: str, partition_by: str | None, days: Collection[str]
    ) -> None:
        """The rows of the table that satisfy `predicate` become `rows`, in one commit; no other row is touched.

        Needs: rows that satisfy `predicate`; Delta refuses the commit else, where it looks.
        days: the values of `partition_by` that `predicate` lies within. Where no file has one of them, as of a day that
        is new, nothing goes: to append is half the work.
        """
        if not self._holds(key, partition_by, days):
            self.append(rows, key, partition_by)
            return
        writer = _writer(rows, key, partition_by).mode("overwrite")
        writer.option("replaceWhere", predicate).save(self.path(key))

    def rewrite(self, rows: DataFrame, key: str, partition_by: str | None) -> None:
        """The table becomes `rows`, whatever columns and types it had."""
        writer = _writer(rows, key, partition_by).mode("overwrite")
        writer.option("overwriteSchema", "true").save(self.path(key))

    def _holds(self, key: str, partition_by: str | None, days: Collection[str]) -> bool:
        table = find_table(self.path(key))
        if table is None:
            return False
        if partition_by is None or table.metadata().partition_columns != [partition_by]:
            return True
        return any(str(partition[partition_by]) in days for partition in table.partitions())

    @contextmanager
    def marked(self, key: str) -> Iterator[None]:
        """Around a MERGE, DELETE or RESTORE of the table: its commit bears our mark, as those of the writers do."""
        self.spark.conf.set(_MARK_OF_SESSION, key)
        try:
            yield
        finally:
            self.spark.conf.unset(_MARK_OF_SESSION)

    def empty(self, columns: Mapping[str, str]) -> DataFrame:
        """No rows, with columns of these SQL types."""
        return no_rows(self.spark, columns)


def table_path(root: str, key: str) -> str:
    """The folder or URL of the table `layer/name` below the lake's root."""
    return f"{root.rstrip('/')}/{key}"


def _writer(rows: DataFrame, key: str, partition_by: str | None) -> DataFrameWriter:
    writer = rows.write.format("delta").option("mergeSchema", "true").option(MARK, key)
    return writer.partitionBy(partition_by) if partition_by else writer
