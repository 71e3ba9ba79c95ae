"""Tables whose times are INT96, as Spark wrote them before: they are rewritten once, and marked.

INT96 has no statistics, and Arrow cannot read such a time outside of 1677 to 2262. New files have microseconds (see
`spark/session.py`). Rearranged are the partitions that hold such a file; no row changes.
"""

import pyarrow.parquet as pq
from delta.tables import DeltaTable as SparkTable
from deltalake import DeltaTable

from medallion_assets.contracts.sql_text import quoted_name
from medallion_assets.lakehouse.storage import transaction_log
from medallion_assets.lakehouse.storage.lake import Lake
from medallion_assets.lakehouse.storage.open_table import dataset_of
from medallion_assets.lakehouse.storage.predicates import partitions_predicate

MARK = {"medallion_assets.timestamps": "micros"}
"""A property of tables that have been looked at, so that their files are opened once and not every night."""


def rewrite_int96(lake: Lake, key: str) -> None:
    """One commit for the files, where there are such; one for the mark. Nothing in a table that bears it."""
    table = DeltaTable(lake.path(key))
    if MARK.items() <= table.metadata().configuration.items():
        return
    partitions = _partitions_with_int96(table)
    if partitions:
        columns = table.metadata().partition_columns
        where = partitions_predicate(columns, partitions)
        by = next(field.name for field in table.schema().fields if field.name not in columns)
        # Sorting rewrites every file; plain compaction would leave a file that is alone in its partition.
        SparkTable.forPath(lake.spark, lake.path(key)).optimize().where(where).executeZOrderBy(
            quoted_name(by)
        )
    DeltaTable(lake.path(key)).alter.set_table_properties(MARK, raise_if_not_exists=False)


def _partitions_with_int96(table: DeltaTable) -> set[str | None]:
    """The partition values of files that have a column of INT96; None for NULL, and for a table without partitions."""
    values = transaction_log.active_files(table)
    fragments = dataset_of(table).get_fragments()
    return {values[fragment.path][0] for fragment in fragments if _has_int96(fragment.metadata.schema)}


def _has_int96(schema: pq.ParquetSchema) -> bool:
    return any(schema.column(i).physical_type == "INT96" for i in range(len(schema)))
