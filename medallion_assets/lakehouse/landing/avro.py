"""Messages in Avro as JSON text, each by the schema that it was written with.

The frame is that of Confluent's serializers: a zero byte, the number of the schema in four bytes, the data. Where
schemas come from belongs to `schema_registry.py`.
"""

import json
from collections.abc import Iterable
from functools import reduce
from operator import or_
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.avro.functions import from_avro, to_avro

from medallion_assets.lakehouse.landing.schema_registry import schemas

_AS_TEXT = {"ignoreNullFields": "false", "timestampFormat": "yyyy-MM-dd'T'HH:mm:ss.SSSSSSXXX"}
_REST = 2**31 - 1


def json_texts(registry: str, messages: DataFrame, names: Iterable[str]) -> dict[str, Column]:
    """Name -> the JSON text of that column, bytes; NULL where they are no record of a schema that is known.

    One job, which lists the schemas. RegistryError.
    """
    numbers = {name: _number(F.col(name)) for name in names}
    used = messages.select(F.explode(F.array(*numbers.values())).alias("number")).distinct()
    known = schemas(registry, {row["number"] for row in used.collect() if row["number"] is not None})
    return {name: _text(F.col(name), number, known) for name, number in numbers.items()}


def _number(framed: Column) -> Column:
    """The number of the schema; NULL where the bytes are no frame."""
    is_framed = (F.octet_length(framed) >= 5) & (F.hex(F.substring(framed, 1, 1)) == "00")
    return F.when(is_framed, F.conv(F.hex(F.substring(framed, 2, 4)), 16, 10).cast("bigint"))


def _text(framed: Column, number: Column, known: dict[int, str]) -> Column:
    data = F.substring(framed, 6, _REST)
    texts = [F.when(number == i, _record(data, schema)) for i, schema in known.items()]
    return F.coalesce(*texts, F.lit(None).cast("string"))


def _record(data: Column, schema: str) -> Column:
    """NULL where the data cannot be read, which Spark makes a record without any value."""
    record, fields = from_avro(data, schema, {"mode": "PERMISSIVE"}), json.loads(schema)["fields"]
    has_value = {field["name"]: record.getField(field["name"]).isNotNull() for field in fields}
    required = [has_value[field["name"]] for field in fields if not _may_be_null(field["type"])]
    is_read = required[0] if required else reduce(or_, has_value.values(), to_avro(record, schema) == data)
    return F.when(is_read, F.to_json(record, _AS_TEXT))


def _may_be_null(of_type: Any) -> bool:
    return of_type == "null" or (isinstance(of_type, list) and "null" in of_type)
