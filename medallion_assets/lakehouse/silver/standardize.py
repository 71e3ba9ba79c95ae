"""Landed text becomes typed, ordered changes."""

from pyspark.sql import Column as Expression
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from medallion_assets.contracts.silver import SilverTable
from medallion_assets.contracts.table import Column
from medallion_assets.lakehouse.spark.expressions import quoted

# Spark's cast reads '10:00' as today and '2026-01-05 garbage' as a date: only ISO 8601 passes.
_ISO_DATE = r"^\d{4}-\d{2}-\d{2}$"


_ISO_TIME = r"^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?( ?(Z|UTC|[+-]\d{2}(:?\d{2})?))?)?$"


def typed(column: Column, text: Expression) -> Expression:
    """NULL where the text does not read as the type; strings stay as landed."""
    if column.type == "string":
        return text
    trimmed = F.nullif(F.trim(text), F.lit(""))
    if column.type == "date":
        # A date with a time keeps the day that is written, not the day in UTC.
        is_time = trimmed.rlike(_ISO_TIME) & trimmed.try_cast("timestamp").isNotNull()
        return F.when(trimmed.rlike(_ISO_DATE) | is_time, F.substring(trimmed, 1, 10).try_cast("date"))
    if column.type == "timestamp":
        return F.when(trimmed.rlike(_ISO_TIME), trimmed.try_cast("timestamp"))
    return trimmed.try_cast(column.type)


def business_columns(changes: DataFrame) -> list[str]:
    return [name for name in changes.columns if not name.startswith("_")]


def _sequenced(table: SilverTable, changes: DataFrame) -> DataFrame:
    """`_sequence`: the columns of the contract, delete after upsert, hash of the typed business fields."""
    if not table.write.has_keys:
        return changes
    order = [quoted(name).alias(name) for name in table.write.sequence] or [
        F.col("_ingestion_date").alias("ingestion_date"),
        natural_order("_source_file").alias("file"),
    ]
    # Named, so that a NULL and a new column change nothing; as text, since JSON would cut timestamps to milliseconds.
    texts = [quoted(name).cast("string").alias(name) for name in sorted(business_columns(changes))]
    digest = F.sha2(F.to_json(F.struct(*texts)), 256)
    sequence = F.struct(*order, F.col("_is_delete").alias("is_delete"), digest.alias("hash"))
    return changes.withColumn("_sequence", sequence)


def natural_order(column: str) -> Expression:
    """Text that sorts part-10 after part-9: every run of digits padded to 20."""
    padded = F.regexp_replace(column, r"(\d+)", "0" * 20 + "$1")
    return F.regexp_replace(padded, r"\d*?(\d{20})(?!\d)", "$1")
