"""What Debezium writes for a large value that did not change and that the database therefore did not log.

By its type: seen with Debezium 3.7 and PostgreSQL's `text`, `bytea` and arrays of texts, numbers and UUIDs; `hstore` as
its documents say. An array of another type it writes as NULL.
"""

import json
from base64 import b64encode
from collections.abc import Sequence
from hashlib import md5
from uuid import UUID

from pyspark.sql import Column
from pyspark.sql import functions as F

from medallion_assets.lakehouse.landing.formats.layout import MARK

_WORD = "__debezium_unavailable_value"
_BYTES = _WORD.encode()
_NAME = UUID(bytes=md5(_BYTES, usedforsecurity=False).digest(), version=3)


def _nested(value: Sequence[str] | dict[str, str]) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


UNAVAILABLE = (
    _WORD,  # also JSON and XML
    b64encode(_BYTES).decode(),  # bytea, by `binary.handling.mode`
    _BYTES.hex(),
    _nested([_WORD]),
    _nested([f"{MARK}{byte}{MARK}" for byte in _BYTES]),  # numbers are marked
    _nested([str(_NAME)]),
    _nested({_WORD: _WORD}),  # hstore
)


def has_unavailable(fields: Column) -> Column:
    """Whether one of the values is such a one.

    fields: a record as `json_text.parsed` gives it
    """
    return F.exists(F.map_values(fields), lambda value: F.coalesce(value.isin(*UNAVAILABLE), F.lit(False)))
