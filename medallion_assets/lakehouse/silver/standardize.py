"""Landed text becomes changes: typed by the contract, cleaned by the table's transform, in order of change."""

from functools import reduce

from pyspark.sql import Column as Expression
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import AtomicType

from medallion_assets.contracts.changes import BY_LANDING, FileOrder
from medallion_assets.contracts.column import Column
from medallion_assets.contracts.column_identity import column_key
from medallion_assets.contracts.silver import SilverTable
from medallion_assets.contracts.sql_text import columns_of
from medallion_assets.contracts.technical_columns import (
    CONTENT_HASH,
    IS_DELETE,
    IS_VOID,
    NO_CHANGE,
    OFFSET,
    OP,
    SEQUENCE,
    SOURCE_ROW,
    VERSIONED,
    nanoseconds_of,
)
from medallion_assets.lakehouse.silver.landed_text import LandedText
from medallion_assets.lakehouse.spark.expressions import normal_key_of, quoted

# Spark's cast reads '10:00' as today and '2026-01-05 garbage' as a date: only ISO 8601 passes.
_ISO_DATE = r"^\d{4}-\d{2}-\d{2}$"
_ISO_TIME = r"^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?( ?(Z|UTC|[+-]\d{2}(:?\d{2})?))?)?$"


def standardize(table: SilverTable, landed: DataFrame) -> DataFrame:
    """As many rows as bronze gives.

    Needs: landed text columns, `_ingestion_date`, `_source_file` and whatever else of bronze begins with `_`.
    Adds: the contract's columns with their types (NULL where the text does not read as one), `_landed` (a struct of the
    text), `_op`, `_is_delete`, `_is_void` (the row is to be ignored), `_source_row` where bronze has none; with keys
    `_sequence`. Landed columns that the contract does not name stay, as text.
    """
    changes = _typed_columns(table, landed)
    changes = changes.withColumns({key: normal_key_of(key) for key in table.normal_keys})
    if table.transform:
        changes = table.transform(changes)
    op = table.write.meaning
    is_void = _says(op.ignores, "_ignores")
    is_void = is_void | F.col(NO_CHANGE) if table.reads_messages else is_void
    meant = {IS_VOID: is_void, IS_DELETE: _says(op.deletes, "_deletes") & ~is_void}
    return _ordered(table, changes.withColumns(meant)).drop("_ignores", "_deletes")


def _typed_columns(table: SilverTable, landed: DataFrame) -> DataFrame:
    op, text = table.write.meaning, LandedText(business_columns(landed), table.nulls)
    sources = {column.name: column.sources or (column.name,) for column in table.columns}
    named = {column_key(name) for name in sources}
    holders = {text.holder(source) for source in (*(s for c in table.columns for s in c.sources), op.field)}
    others = {key: names[0] for key, names in text.columns.items() if key not in named}
    given = {name: (name,) for name in others.values()} | sources
    landed = landed.withColumns({OP: text.op(op, table.column_names), **_missing(table, landed)})
    return landed.select(
        *[typed(column, text.value(sources[column.name])).alias(column.name) for column in table.columns],
        *[
            text.value((name,)).alias(_apart(table, name))
            for key, name in others.items()
            if key not in holders
        ],
        *[quoted(name) for name in landed.columns if name.startswith("_")],
        F.struct(*[text.text(of).alias(name) for name, of in given.items()]).alias("_landed"),
        *[F.coalesce(F.expr(sql), F.lit(False)).alias(f"_{name}") for name, sql in op.predicates.items()],
    )


def _missing(table: SilverTable, landed: DataFrame) -> dict[str, Expression]:
    """NULLs for what bronze may lack: the place in the file, and columns of predicates that never landed."""
    there = {column_key(name) for name in landed.columns} | {OP}
    named = {path[0] for sql in table.write.meaning.predicates.values() for path in columns_of(sql)}
    missing = {name: F.lit(None).cast("string") for name in named if column_key(name) not in there}
    return missing if SOURCE_ROW in there else missing | {SOURCE_ROW: F.lit(None).cast("long")}


def _says(words: tuple[str, ...] | str, flag: str) -> Expression:
    """Whether the op is one of the words, or the predicate held. Needs: `_op`, or the flag."""
    if isinstance(words, str):
        return F.col(flag)
    return F.coalesce(F.col(OP).isin([word.upper() for word in words]), F.lit(False))


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
    """Needs: the business columns, `_is_delete`, `_landed`, `_ingestion_date`, `_source_file`, `_source_modified_at`.

    Adds: `_sequence`, a struct: the columns of the contract, each timestamp followed by its nanoseconds beyond the
    microsecond, then day and file where these count, the offset of a message (-1 of a row of a file), delete after
    upsert, hash of the business columns.
    """
    if not table.write.has_keys:
        return changes
    order = [one for name in table.write.sequence for one in _time(table, name)]
    if files := table.write.order_of_files:
        order += [F.col("_ingestion_date").alias("ingestion_date"), _file(files).alias("file")]
    order += [F.coalesce("_offset", F.lit(-1)).alias(OFFSET)] if table.reads_messages else []
    last = F.struct(*order, F.col(IS_DELETE).alias("is_delete"), _content(changes).alias(CONTENT_HASH))
    return changes.withColumn(SEQUENCE, last)


def _time(table: SilverTable, name: str) -> list[Expression]:
    value = [quoted(name).alias(name)]
    if table.types.get(name) != "timestamp":
        return value
    return [*value, _beyond_microseconds(quoted(name, "_landed")).alias(nanoseconds_of(name))]


def _content(changes: DataFrame) -> Expression:
    """A hash of the business columns that have a value, in any order: a NULL or a new column changes nothing."""
    types = {column.name: column.dataType for column in changes.schema}
    hashes = []
    for name in business_columns(changes):
        value = quoted(name) if isinstance(types[name], AtomicType) else quoted(name).cast("string")
        hashes.append(
            F.when(value.isNotNull(), F.xxhash64(F.lit(name), value)).otherwise(F.lit(0).cast("long"))
        )
    return reduce(Expression.bitwiseXOR, hashes)


def _beyond_microseconds(text: Expression) -> Expression:
    """`2026-01-05 10:00:00.12345678` -> 780; 0 for a text that is too short to have such digits."""
    trimmed = F.trim(text)
    digits = F.regexp_extract(F.substring(trimmed, 20, 10), r"^\.\d{6}(\d{1,3})", 1)
    found = F.when(F.length(trimmed) > 26, F.rpad(digits, 3, "0").try_cast("int"))
    return F.coalesce(found, F.lit(0))


def _file(order: FileOrder) -> Expression:
    """Text that sorts as the files of a day come; a blank before it, as no name of a source begins, comes first."""
    name = natural_order("_source_file")
    if order.by == BY_LANDING:
        name = F.concat(F.date_format("_source_modified_at", "yyyyMMddHHmmssSSS "), name)
    first = F.when(F.col("_source_file").rlike(order.first_pattern), F.lit(" ")).otherwise(F.lit(""))
    return F.concat(first, name)


def natural_order(column: str) -> Expression:
    """Text that sorts part-10 after part-9: every run of digits padded to 20."""
    padded = F.regexp_replace(column, r"(\d+)", "0" * 20 + "$1")
    return F.regexp_replace(padded, r"\d*?(\d{20})(?!\d)", "$1")
