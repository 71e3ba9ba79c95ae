"""Parquet files read by Arrow in Spark's Python workers, with the types that Spark lacks made into some that it has.

How values become text belongs to `spark/texts.py`.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import partial

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.pandas.types import from_arrow_schema

from medallion_assets.contracts.technical_columns import SOURCE_FILE, SOURCE_MODIFIED_AT
from medallion_assets.lakehouse.landing.listing import content_at

BATCH_ROWS = 10_000


def read_by_arrow(spark: SparkSession, paths: Sequence[str], stored: Sequence[pa.DataType]) -> DataFrame:
    """Returns: the columns, named by their position, then `_source_file` and `_source_modified_at`."""
    names = [*map(str, range(len(stored))), SOURCE_FILE, SOURCE_MODIFIED_AT]
    types = [*map(_readable, stored), pa.string(), pa.timestamp("us", "UTC")]
    schema = pa.schema(list(zip(names, types, strict=True)))
    files = spark.createDataFrame([(path,) for path in paths], "path string")
    return files.mapInArrow(partial(_read, schema=schema), from_arrow_schema(schema))


def _read(batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    for content in (content_at(path) for batch in batches for path in batch.column(0).to_pylist()):
        modified_at = content.modified_at
        with content.open() as opened, pq.ParquetFile(opened) as file:
            for batch in file.iter_batches(BATCH_ROWS):
                origin = [pa.repeat(value, len(batch)) for value in (content.uri, modified_at)]
                columns = [
                    column.cast(field.type)
                    for column, field in zip([*batch.columns, *origin], schema, strict=True)
                ]
                yield pa.RecordBatch.from_arrays(columns, schema=schema)


def _readable(stored: pa.DataType) -> pa.DataType:
    """A type that Spark has, to which Arrow casts all values of this one without loss."""
    if isinstance(stored, pa.BaseExtensionType):
        return _readable(stored.storage_type)
    if isinstance(stored, pa.StructType):
        return pa.struct([pa.field(field.name, _readable(field.type)) for field in stored])
    if isinstance(stored, pa.MapType):
        return pa.map_(_readable(stored.key_type), _readable(stored.item_type))
    if hasattr(stored, "value_type"):  # lists of all kinds, and dictionaries
        of = _readable(stored.value_type)  # type: ignore[attr-defined]
        return of if isinstance(stored, pa.DictionaryType) else pa.list_(of)
    return _readable_scalar(stored)


def _readable_scalar(stored: pa.DataType) -> pa.DataType:
    is_ = pa.types
    if is_.is_timestamp(stored):
        return pa.int64() if stored.unit == "ns" else pa.timestamp("us", "UTC")  # type: ignore[attr-defined]
    if is_.is_decimal(stored) and stored.precision <= 38:  # type: ignore[attr-defined]
        return pa.decimal128(stored.precision, stored.scale)  # type: ignore[attr-defined]
    if is_.is_unsigned_integer(stored):
        return pa.decimal128(20, 0)
    kinds = {
        is_.is_float16: pa.float32(),
        is_.is_duration: pa.int64(),
        is_.is_date: pa.date32(),
        is_.is_fixed_size_binary: pa.binary(),
        is_.is_large_binary: pa.binary(),
        is_.is_binary_view: pa.binary(),
        is_.is_time: pa.string(),
        is_.is_decimal: pa.string(),
        is_.is_large_string: pa.string(),
        is_.is_string_view: pa.string(),
    }
    return next((readable for is_kind, readable in kinds.items() if is_kind(stored)), stored)
