"""Parquet: every column cast to text without loss, by Spark, or by Arrow where Spark lacks the type of a column."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from medallion_assets.contracts.technical_columns import CORRUPT_RECORD, SOURCE_FILE, SOURCE_MODIFIED_AT
from medallion_assets.lakehouse.landing.area import Content
from medallion_assets.lakehouse.landing.column_names import UnreadableFile, check_any_required, clean_names
from medallion_assets.lakehouse.landing.formats.arrow_reading import read_by_arrow
from medallion_assets.lakehouse.landing.formats.layout import Layout, glob_escaped, provenance
from medallion_assets.lakehouse.spark.expressions import quoted
from medallion_assets.lakehouse.spark.texts import as_text

SPARK_SCHEMA = b"org.apache.spark.sql.parquet.row.metadata"
"""Where Spark writes the types that it means, which it prefers to those of Parquet."""


def sniff_parquet(content: Content, required: Collection[str] = ()) -> Layout | None:
    """The layout by the footer. UnreadableFile if there is none, or none of the required columns."""
    try:
        with content.open() as opened, pq.ParquetFile(opened) as file:
            schema, stored, metadata = file.schema, file.schema_arrow, file.metadata.metadata or {}
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, OSError) and error.errno:
            raise
        raise UnreadableFile(f"it is no complete Parquet file ({error}); land it again") from error
    check_any_required(stored.names, required)
    columns = [schema.column(number) for number in range(len(schema))]
    kind = ArrowParquetLayout if any(map(_is_lacking_in_spark, columns)) else ParquetLayout
    _, _, types = str(schema).partition("\n")  # the first line is an address in memory
    return kind(types, metadata.get(SPARK_SCHEMA), clean_names(stored.names), tuple(stored.types))


def _is_lacking_in_spark(column: pq.ColumnSchema) -> bool:
    logical = json.loads(column.logical_type.to_json())
    return logical["Type"] in ("UUID", "Time", "Float16") or logical.get("precision", 0) > 38


@dataclass(frozen=True)
class ParquetLayout(Layout):
    """Parquet of one schema: what is equal to Arrow need not be to Spark, so Parquet's own types count.

    types: Parquet's schema as text
    spark_schema: the one that Spark wrote, if it wrote the file
    stored: the type of each column in Arrow
    """

    types: str
    spark_schema: bytes | None
    columns: tuple[str, ...]
    stored: tuple[pa.DataType, ...] = field(compare=False)

    def read(self, spark: SparkSession, paths: Sequence[str]) -> DataFrame:
        reader = spark.read.options(recursiveFileLookup=True, mergeSchema=False)
        frame = reader.parquet(*glob_escaped(paths))
        return frame.select(*self._texts(frame), *provenance(frame))

    def _texts(self, frame: DataFrame) -> list[Column]:
        landed = zip(frame.schema.fields, self.stored, self.columns, strict=False)
        texts = [as_text(quoted(f.name), f.dataType, stored).alias(name) for f, stored, name in landed]
        return [*texts, F.lit(None).cast("string").alias(CORRUPT_RECORD)]


class ArrowParquetLayout(ParquetLayout):
    """Parquet that has a column of a type that Spark lacks."""

    def read(self, spark: SparkSession, paths: Sequence[str]) -> DataFrame:
        frame = read_by_arrow(spark, paths, self.stored)
        return frame.select(*self._texts(frame), SOURCE_FILE, SOURCE_MODIFIED_AT)


SNIFFERS = {".parquet": sniff_parquet}
