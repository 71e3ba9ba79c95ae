"""Silver as it is stored, whichever release wrote it."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from medallion_assets.contracts.silver import SilverTable
from medallion_assets.contracts.technical_columns import SEQUENCE, nanoseconds_of
from medallion_assets.lakehouse.spark.expressions import quoted
from medallion_assets.lakehouse.storage.lake import Lake

_OLD_HASH = "hash"
"""A text, in tables that were begun by a release that stored such a one."""


def stored_rows(lake: Lake, table: SilverTable) -> DataFrame:
    """The rows of a table with keys, with the fields of `_sequence` that `standardize` gives.

    The content hash is NULL, and nanoseconds are 0, in rows that were written before there were such fields.
    """
    rows = lake.read(table.key)
    there = rows.schema[SEQUENCE].dataType.fieldNames()  # type: ignore[attr-defined]
    if _OLD_HASH not in there:
        return rows
    nanoseconds = set(map(nanoseconds_of, table.write.sequence))
    fields = []
    for name, type_ in table.sequence_fields.items():
        value = quoted(name, SEQUENCE) if name in there else F.lit(None).cast(type_)
        fields.append((F.coalesce(value, F.lit(0)) if name in nanoseconds else value).alias(name))
    return rows.withColumn(SEQUENCE, F.struct(*fields))
