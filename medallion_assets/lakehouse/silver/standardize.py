"""Landed text becomes changes: typed by the contract, cleaned by the table's transform, in order of change."""

from collections.abc import Mapping, Sequence

from pyspark.sql import Column as Expression
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from medallion_assets.contracts.column_identity import column_key
from medallion_assets.contracts.silver import DELETE_OPS, SilverTable
from medallion_assets.contracts.table import Column
from medallion_assets.contracts.technical_columns import VERSIONED
from medallion_assets.lakehouse.spark.expressions import normal_key_of, quoted

# Spark's cast reads '10:00' as today and '2026-01-05 garbage' as a date: only ISO 8601 passes.
_ISO_DATE = r"^\d{4}-\d{2}-\d{2}$"
_ISO_TIME = r"^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?( ?(Z|UTC|[+-]\d{2}(:?\d{2})?))?)?$"


def standardize(table: SilverTable, landed: DataFrame) -> DataFrame:
    """As many rows as bronze gives.

    Needs: landed text columns, `_ingestion_date`, `_source_file` and whatever else of bronze begins with `_`.
    Adds: the contract's columns with their types (NULL where the text does not read as one), `_landed` (a struct of the
    text), `_op`, `_is_delete`; with keys `_sequence`. Landed columns that the contract does not name stay, as text.
    """
    changes = _typed_columns(table, landed)
    changes = changes.withColumns({key: normal_key_of(key) for key in table.normal_keys})
    if table.transform:
        changes = table.transform(changes)
    return _ordered(table, changes.withColumn("_is_delete", F.col("_op").isin(*DELETE_OPS)))


def _typed_columns(table: SilverTable, landed: DataFrame) -> DataFrame:
    op = table.write.op_column
    business: dict[str, list[str]] = {}
    for name in business_columns(landed):
        business.setdefault(column_key(name), []).append(name)
    declared = (*table.column_names, *([op] if op else []))
    text = {name: _text(business.get(column_key(name), [])) for name in declared}
    others = business.keys() - set(map(column_key, declared))
    extras = {names[0]: _text(names) for key, names in business.items() if key in others}
    given = {name: _given(table, value) for name, value in {**text, **extras}.items()}
    return landed.select(
        *[typed(column, given[column.name]).alias(column.name) for column in table.columns],
        *[given[name].alias(_apart(table, name)) for name in extras],
        *[quoted(name) for name in landed.columns if name.startswith("_")],
        F.struct(*[value.alias(name) for name, value in {**text, **extras}.items()]).alias("_landed"),
        _op(given, op).alias("_op"),
    )


def _text(landed: Sequence[str]) -> Expression:
    """The one of these columns that has a value: bronze may have two that are one for Spark, from before."""
    return F.coalesce(*map(quoted, landed)) if landed else F.lit(None).cast("string")


def _given(table: SilverTable, text: Expression) -> Expression:
    """NULL where the source says so in words."""
    return F.when(~F.trim(text).isin(*table.nulls), text) if table.nulls else text


def _op(text: Mapping[str, Expression], op: str) -> Expression:
    """The landed operation in capitals; an upsert (U) where there is none."""
    upsert = F.lit("U")
    return F.coalesce(F.upper(F.nullif(F.trim(text[op]), F.lit(""))), upsert) if op else upsert


def _apart(table: SilverTable, name: str) -> str:
    """The name of a landed column that the contract does not name, apart from those that versions bear."""
    is_taken = table.write.keeps_versions and name.lower() in VERSIONED
    return f"landed_{name}" if is_taken else name


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
    if column.type.startswith("decimal"):  # Java reads digits of any script
        return F.when(F.octet_length(trimmed) == F.length(trimmed), trimmed.try_cast(column.type))
    return trimmed.try_cast(column.type)


def business_columns(changes: DataFrame) -> list[str]:
    """The columns that do not begin with `_`, which is how those of the lake begin."""
    return [name for name in changes.columns if not name.startswith("_")]


def _ordered(table: SilverTable, changes: DataFrame) -> DataFrame:
    """Needs: the business columns, `_is_delete`, `_ingestion_date`, `_source_file`.

    Adds: `_sequence`, a struct: the columns of the contract, delete after upsert, hash of the business columns.
    """
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
