"""A value of any type as text, without loss."""

import pyarrow as pa
from pyspark.sql import Column
from pyspark.sql import functions as F
from pyspark.sql import types as T

BILLION = 1_000_000_000
WHOLE = float(2**53)
"""Below it a double has the digits of every whole number."""

_SAME_IN_JSON = (T.StringType, T.IntegralType, T.DecimalType, T.BooleanType, T.NullType, T.VariantType)

UNKNOWN = pa.null()
Typed = tuple[T.DataType, pa.DataType]
"""The type in Spark, and in Arrow where that says more: a timestamp in nanoseconds is a number to Spark."""


def as_text(value: Column, landed: T.DataType, stored: pa.DataType = UNKNOWN) -> Column:
    """A value as text: nested values as JSON, bytes as UTF-8 or else Base64, all others as Spark casts them in UTC.

    Whole numbers in floating point have neither exponent nor point. Nested values are treated as at the top.

    stored: the type in Arrow
    """
    if isinstance(landed, T.StructType | T.ArrayType | T.MapType | T.VariantType):
        return F.to_json(_for_json(value, landed, stored), {"ignoreNullFields": "false"})
    if isinstance(landed, T.DoubleType | T.FloatType):
        return F.when(_is_whole(value), value.cast("bigint").cast("string")).otherwise(value.cast("string"))
    if isinstance(landed, T.BinaryType):
        return _uuid_as_text(value) if isinstance(stored, pa.UuidType) else _bytes_as_text(value)
    return _nanos_as_text(value) if _is_nanos(landed, stored) else value.cast("string")


def _for_json(value: Column, landed: T.DataType, stored: pa.DataType) -> Column:
    """The value; where JSON would write other texts than `as_text`, with these in place of its parts."""
    if _is_same_in_json(landed, stored):
        return value
    parts = _parts(landed, stored)
    if isinstance(landed, T.StructType):
        names = landed.fieldNames()
        fields = [_for_json(value.getField(n), *part).alias(n) for n, part in zip(names, parts, strict=True)]
        return F.when(value.isNotNull(), F.struct(*fields))
    if isinstance(landed, T.ArrayType):
        return F.transform(value, lambda item: _for_json(item, *parts[0]))
    if isinstance(landed, T.MapType):
        if not isinstance(landed.keyType, T.StringType):
            value = F.transform_keys(value, lambda key, _: as_text(key, *parts[0]))
        return F.transform_values(value, lambda _, item: _for_json(item, *parts[1]))
    if isinstance(landed, T.DoubleType | T.FloatType):
        whole = value.cast("bigint").cast("variant")
        return F.when(_is_whole(value), whole).otherwise(value.cast("variant"))
    return as_text(value, landed, stored)


def _is_same_in_json(landed: T.DataType, stored: pa.DataType) -> bool:
    parts = _parts(landed, stored)
    if isinstance(landed, T.MapType) and not isinstance(landed.keyType, T.StringType):
        return False
    if parts or isinstance(landed, T.StructType):
        return all(_is_same_in_json(*part) for part in parts)
    return isinstance(landed, _SAME_IN_JSON) and not _is_nanos(landed, stored)


def _parts(landed: T.DataType, stored: pa.DataType) -> list[Typed]:
    """The types of what a nested type is made of, in order."""
    types: list[T.DataType] = []
    known: list[pa.DataType] = []
    if isinstance(landed, T.StructType):
        types = [field.dataType for field in landed]
        known = [field.type for field in stored] if isinstance(stored, pa.StructType) else []
    elif isinstance(landed, T.ArrayType):
        types = [landed.elementType]
        known = [stored.value_type] if hasattr(stored, "value_type") else []  # type: ignore[union-attr]
    elif isinstance(landed, T.MapType):
        types = [landed.keyType, landed.valueType]
        known = [stored.key_type, stored.item_type] if isinstance(stored, pa.MapType) else []
    return list(zip(types, known if len(known) == len(types) else [UNKNOWN] * len(types), strict=True))


def _is_nanos(landed: T.DataType, stored: pa.DataType) -> bool:
    # Arrow says nanoseconds of INT96, too, but Spark reads that as a timestamp.
    return isinstance(landed, T.LongType) and isinstance(stored, pa.TimestampType) and stored.unit == "ns"


def _is_whole(number: Column) -> Column:
    return (number == F.floor(number)) & (F.abs(number) < F.lit(WHOLE))


def _nanos_as_text(nanos: Column) -> Column:
    """As `yyyy-MM-dd HH:mm:ss.nnnnnnnnn`: a timestamp of Spark has microseconds only."""
    billion = F.lit(BILLION)
    # `div` cuts towards zero, and all in whole numbers: a double has too few digits after 2116.
    before_1970 = F.when(nanos % billion < 0, F.lit(1)).otherwise(F.lit(0))
    seconds = F.timestamp_seconds(F.call_function("div", nanos, billion) - before_1970)
    fraction = F.pmod(nanos, billion).cast("string")
    return F.concat(F.date_format(seconds, "yyyy-MM-dd HH:mm:ss"), F.lit("."), F.lpad(fraction, 9, "0"))


def _bytes_as_text(value: Column) -> Column:
    return F.coalesce(F.try_validate_utf8(value.cast("string")), F.base64(value))


def _uuid_as_text(value: Column) -> Column:
    return F.regexp_replace(F.lower(F.hex(value)), "^(.{8})(.{4})(.{4})(.{4})(.{12})$", "$1-$2-$3-$4-$5")
