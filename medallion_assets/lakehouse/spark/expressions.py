"""Expressions that every stage needs: a column of any name, and a value of any type as text."""

from pyspark.sql import Column
from pyspark.sql import functions as F
from pyspark.sql.types import ArrayType, BinaryType, DataType, LongType, MapType, StructType, VariantType

from medallion_assets.contracts.key_text import normal_key
from medallion_assets.contracts.sql_text import quoted_name


def quoted(name: str, of: str = "") -> Column:
    """The column of exactly this name, whatever dots, backticks or reserved words it has.

    of: the alias of a DataFrame, or a struct column

    All names of columns that a contract declares go through here, or through `quoted_name` where SQL is text.
    """
    return F.col(f"{of}.{quoted_name(name)}" if of else quoted_name(name))


def normal_key_of(name: str) -> Column:
    """A text column as a key: trimmed and composed; NULL where nothing is left (see `contracts.key_text`)."""
    return F.expr(normal_key(quoted_name(name)))


BILLION = 1_000_000_000


def as_text(value: Column, landed: DataType, *, nanos: bool = False) -> Column:
    """A value as text: nested values as JSON, bytes as UTF-8 or else Base64, all others as Spark casts them in UTC.

    nanos: the value counts nanoseconds since 1970, if it is a number
    """
    # Arrow says nanoseconds of INT96, too, but Spark reads that as a timestamp.
    if nanos and isinstance(landed, LongType):
        return _nanos_as_text(value)
    if isinstance(landed, MapType) and isinstance(
        landed.keyType, StructType | ArrayType | MapType | BinaryType
    ):
        value = F.map_entries(
            value
        )  # a key of JSON is a text, and of these Spark makes one that tells nothing
    if isinstance(landed, StructType | ArrayType | MapType | VariantType):
        return F.to_json(value, {"ignoreNullFields": "false"})
    if isinstance(landed, BinaryType):
        return F.coalesce(F.try_validate_utf8(value.cast("string")), F.base64(value))
    return value.cast("string")


def _nanos_as_text(nanos: Column) -> Column:
    """As `yyyy-MM-dd HH:mm:ss.nnnnnnnnn`: a timestamp of Spark has microseconds only."""
    fraction = F.pmod(nanos, F.lit(BILLION))
    seconds = F.timestamp_seconds(((nanos - fraction) / BILLION).cast("long"))
    return F.concat(
        F.date_format(seconds, "yyyy-MM-dd HH:mm:ss"), F.lit("."), F.lpad(fraction.cast("string"), 9, "0")
    )
