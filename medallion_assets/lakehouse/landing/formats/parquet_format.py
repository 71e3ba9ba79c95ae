"""Parquet: every column cast to text without loss."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from medallion_assets.contracts.technical_columns import CORRUPT_RECORD
from medallion_assets.lakehouse.landing.column_names import UnreadableFile, check_any_required, clean_names
from medallion_assets.lakehouse.landing.formats.layout import Layout, glob_escaped, provenance
from medallion_assets.lakehouse.spark.expressions import as_text, quoted


def sniff_parquet(path: str, required: Collection[str] = ()) -> Layout | None:
    """The layout by the footer. UnreadableFile if there is none, or none of the required columns."""
    try:
        schema = pq.read_schema(path)
    except pa.ArrowException as error:
        raise UnreadableFile(f"it is no complete Parquet file ({error}); land it again") from error
    nanos = tuple(pa.types.is_timestamp(field.type) and field.type.unit == "ns" for field in schema)
    check_any_required(schema.names, required)
    return ParquetLayout(schema.to_string(show_schema_metadata=False), clean_names(schema.names), nanos)


@dataclass(frozen=True)
class ParquetLayout(Layout):
    """Parquet of one schema; `nanos` says of each column whether it is a timestamp in nanoseconds."""

    schema: str
    columns: tuple[str, ...]
    nanos: tuple[bool, ...]

    def read(self, spark: SparkSession, paths: Sequence[str]) -> DataFrame:
        frame = spark.read.options(recursiveFileLookup=True, mergeSchema=False).parquet(*glob_escaped(paths))
        landed = zip(frame.schema.fields, self.nanos, self.columns, strict=True)
        return frame.select(
            *[
                as_text(quoted(field.name), field.dataType, nanos=nanos).alias(name)
                for field, nanos, name in landed
            ],
            F.lit(None).cast("string").alias(CORRUPT_RECORD),
            *provenance(frame),
        )


SNIFFERS = {".parquet": sniff_parquet}
