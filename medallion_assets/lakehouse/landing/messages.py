"""The messages of a topic as landed text: what the bytes of each say, by the payload of its contract.

One message gives one row, whatever is wrong with it. How messages come to bronze belongs to `sources/kafka_source.py`.
"""

from collections.abc import Callable, Collection
from functools import reduce
from operator import or_

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from medallion_assets.contracts.payloads import Avro, Debezium, Json, Payload
from medallion_assets.contracts.technical_columns import CORRUPT_RECORD, MESSAGE, NO_CHANGE, PLACE_OF_MESSAGE
from medallion_assets.lakehouse.landing.avro import json_texts
from medallion_assets.lakehouse.landing.formats.json_text import (
    columns_of,
    complete,
    field,
    has_duplicate_keys,
    is_halved,
    parsed,
    present,
)
from medallion_assets.lakehouse.landing.unavailable_values import has_unavailable
from medallion_assets.lakehouse.spark.expressions import quoted

ENVELOPE = ("op", "lsn", "snapshot", "source_ts", "tx_order")
"""What a payload of Debezium adds to the row's own columns."""


def read_messages(payload: Payload, messages: DataFrame) -> DataFrame:
    """As many rows as messages.

    Needs: the columns of `technical_columns.MESSAGE`, and whatever else of bronze begins with `_`.
    Returns: the fields of the messages as landed text, those columns of bronze, `_topic`, `_partition` and `_offset`,
    `_no_change` (the message is no change of a row) and `_corrupt_record` (its text, where that cannot be read; of Avro
    its bytes in base64). One more job, which lists the names of the fields; of Avro another one for the schemas.
    RegistryError, RegistryUnreachable.
    """
    read = _READERS[type(payload.meaning)](messages.withColumns(_texts(payload, messages)))
    rows = _computed_once(read, {"_fields", "_is_broken", NO_CHANGE, "_shown", *ENVELOPE})
    keys = rows.select(F.explode(F.map_keys("_fields")).alias("key")).distinct().orderBy("key").collect()
    columns = columns_of(row["key"] for row in keys)
    fields = F.col("_fields")
    shared = [present(fields, names) > 1 for names in columns.values() if len(names) > 1]
    broken = ~F.col(NO_CHANGE) & reduce(or_, shared, F.col("_is_broken"))
    kept = [name for name in messages.columns if name.startswith("_") and name != CORRUPT_RECORD]
    added = [name for name in ENVELOPE if name in rows.columns]
    apart = {name: f"landed_{name}" for name in added}
    return rows.select(
        *[field(fields, names).alias(apart.get(name, name)) for name, names in columns.items()],
        *added,
        *kept,
        *[F.col(name.removeprefix("_")).alias(name) for name in PLACE_OF_MESSAGE],
        NO_CHANGE,
        F.when(broken, F.col("_shown")).alias(CORRUPT_RECORD),
    )


def _computed_once(rows: DataFrame, names: Collection[str]) -> DataFrame:
    """The same rows, with these columns behind a generator, which no filter passes.

    Else Spark would write their expressions, each made of others many times over, into every filter on what is made of
    them: plans of minutes.
    """
    computed = [name for name in rows.columns if name in names]
    others = [quoted(name) for name in rows.columns if name not in names]
    return rows.select(*others, F.inline(F.array(F.struct(*computed))))


def _texts(payload: Payload, messages: DataFrame) -> dict[str, Column]:
    """What is added first: the JSON of value and key (NULL where they are none), and how a broken value is shown."""
    texts = {name: _utf8(name) for name in ("value", "key")}
    shown = F.make_valid_utf8(F.col("value").cast("string"))
    if isinstance(payload, Avro):
        has_keys = isinstance(payload.meaning, Debezium)  # the keys of others may be anything
        encoded = json_texts(payload.registry, messages, texts if has_keys else ["value"])
        texts |= {name: F.coalesce(text, texts[name]) for name, text in encoded.items()}
        shown = F.base64("value")
    return {"_value_text": texts["value"], "_key_text": texts["key"], "_shown": shown}


def like_messages(landed: DataFrame) -> DataFrame:
    """Rows of files as they stand beside messages. Adds: the columns of a message's place (NULL), `_no_change`."""
    types = {f"_{column.name}": column.type for column in MESSAGE}
    places = {name: F.lit(None).cast(types[name]) for name in PLACE_OF_MESSAGE}
    return landed.withColumns({**places, NO_CHANGE: F.lit(False)})


def _json(messages: DataFrame) -> DataFrame:
    """Adds: `_fields`, `_is_broken`, `_no_change`."""
    rows = messages.withColumn("_fields", _object(F.col("_value_text")))
    is_broken = F.coalesce(_is_unclear(F.col("_fields")), F.lit(True))
    return rows.withColumns({"_is_broken": is_broken, NO_CHANGE: F.col("value").isNull()})


def _debezium(messages: DataFrame) -> DataFrame:
    """Adds: `_fields`, `_is_broken`, `_no_change`, and the columns of ENVELOPE."""
    sent, envelope, row = F.col("_sent"), F.col("_envelope"), F.col("_fields")
    rows = messages.withColumns({"_sent": _object(F.col("_value_text")), "_key": _object(F.col("_key_text"))})
    is_wrapped = F.map_contains_key(sent, "payload") & ~F.map_contains_key(sent, "op")
    key_is_wrapped = F.map_contains_key("_key", "payload") & F.map_contains_key("_key", "schema")
    rows = rows.withColumns(
        {
            "_envelope": F.when(is_wrapped, _object(field(sent, ["payload"]))).otherwise(sent),
            "_key": F.when(key_is_wrapped, _object(field(F.col("_key"), ["payload"]))).otherwise(
                F.col("_key")
            ),
        }
    )
    op = field(envelope, ["op"])
    rows = rows.withColumns(
        {
            "op": op,
            "_fields": F.when(op == "d", F.coalesce("_key", _object(field(envelope, ["before"])))).when(
                op.isin("c", "r", "u"), _object(field(envelope, ["after"]))
            ),
            "_source": _object(field(envelope, ["source"])),
            "_transaction": _object(field(envelope, ["transaction"])),
        }
    )
    committed = F.timestamp_millis(field(F.col("_source"), ["ts_ms"]).try_cast("bigint"))
    is_of_a_row = F.col("op").isin("c", "r", "u", "d")
    is_unclear = (
        _is_unclear(sent) | has_duplicate_keys(envelope) | has_duplicate_keys(row) | has_unavailable(row)
    )
    is_empty = F.col("value").isNull() | (is_wrapped & F.try_element_at(sent, F.lit("payload")).isNull())
    is_mark = (F.col("op").isNull() & F.map_contains_key(envelope, "ts_ms")) | (F.col("op") == "m")
    return rows.withColumns(
        {
            "lsn": field(F.col("_source"), ["lsn"]),
            "snapshot": field(F.col("_source"), ["snapshot"]),
            "source_ts": F.date_format(committed, "yyyy-MM-dd'T'HH:mm:ss.SSS'Z'"),
            "tx_order": field(F.col("_transaction"), ["total_order"]),
            "_is_broken": F.coalesce(
                F.when(is_of_a_row, is_unclear).otherwise(F.col("op").isNull()), F.lit(True)
            ),
            NO_CHANGE: F.coalesce(is_empty | is_mark, F.lit(False)),
        }
    )


def _utf8(name: str) -> Column:
    """The text of these bytes; NULL where they are none."""
    text = F.col(name).cast("string")
    return F.when(F.is_valid_utf8(text), text)


def _is_unclear(sent: Column) -> Column:
    """Whether the object that a message is says something twice, or has half a character. NULL where it is none."""
    return has_duplicate_keys(sent) | is_halved(F.col("_value_text"), sent)


def _object(text: Column) -> Column:
    """The fields of a text that is one JSON object and nothing else; else NULL."""
    records = complete(parsed(text, whole=False))
    return F.when(F.size(records) == 1, F.try_element_at(records, F.lit(1)))


_READERS: dict[type[Payload], Callable[[DataFrame], DataFrame]] = {Json: _json, Debezium: _debezium}
