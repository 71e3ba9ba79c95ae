"""Expressions on columns of any name, and of any type as text."""

from pyspark.sql import Column
from pyspark.sql import functions as F
from pyspark.sql.types import ArrayType, BinaryType, DataType, LongType, MapType, StructType, VariantType

from medallion_assets.contracts.sql_text import quoted_name


def quoted(name: str, of: str = "") -> Column:
    """The column of just this name, whatever dots or backticks it holds.

    of: the alias of a DataFrame, or a struct column
    """
    return F.col(f"{of}.{quoted_name(name)}" if of else quoted_name(name))


BILLION = 1_000_000_000


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
