"""Parquet: every column cast to text without loss."""

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import ArrayType, BinaryType, DataType, LongType, MapType, StructType, VariantType

from medallion_assets.lakehouse.formats.layout import (
    CORRUPT,
    Layout,
    UnreadableFile,
    clean_names,
    glob_escaped,
    provenance,
    quoted,
)

BILLION = 1_000_000_000


def sniff_parquet(path: str) -> Layout | None:
    """The layout by the footer."""
    try:
        schema = pq.read_schema(path)
    except pa.ArrowException as error:
        raise UnreadableFile(f"it is no whole Parquet file ({error}); land it again") from error
    nanos = tuple(pa.types.is_timestamp(field.type) and field.type.unit == "ns" for field in schema)
    return ParquetLayout(schema.to_string(show_schema_metadata=False), clean_names(schema.names), nanos)


@dataclass(frozen=True)
class ParquetLayout(Layout):
    schema: str
    columns: tuple[str, ...]
    nanos: tuple[bool, ...]

    def read(self, spark: SparkSession, paths: Sequence[str]) -> DataFrame:
        frame = spark.read.options(recursiveFileLookup=True, mergeSchema=False).parquet(*glob_escaped(paths))
        landed = zip(frame.schema.fields, self.nanos, self.columns, strict=True)
        return frame.select(
            *[
                as_text(quoted(field.name), field.dataType, nanos).alias(name)
                for field, nanos, name in landed
            ],
            F.lit(None).cast("string").alias(CORRUPT),
            *provenance(frame),
        )


def as_text(value: Column, landed: DataType, nanos: bool = False) -> Column:
    """Nested values as JSON, bytes as UTF-8 or else Base64, all else as Spark writes it in UTC."""
    # INT96 has nanoseconds for Arrow, too, but Spark reads it as a timestamp.
    if nanos and isinstance(landed, LongType):
        return _nanos_as_text(value)
    if isinstance(landed, StructType | ArrayType | MapType | VariantType):
        return F.to_json(value, {"ignoreNullFields": "false"})
    if isinstance(landed, BinaryType):
        return F.coalesce(F.try_validate_utf8(value.cast("string")), F.base64(value))
    return value.cast("string")


def _nanos_as_text(nanos: Column) -> Column:
    fraction = F.pmod(nanos, F.lit(BILLION))
    seconds = F.timestamp_seconds(((nanos - fraction) / BILLION).cast("long"))
    return F.concat(
        F.date_format(seconds, "yyyy-MM-dd HH:mm:ss"), F.lit("."), F.lpad(fraction.cast("string"), 9, "0")
    )
