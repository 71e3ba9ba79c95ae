"""A few rows of a table, read by delta-rs in milliseconds, and how people are shown them."""

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
from deltalake import DeltaTable, QueryBuilder

ROWS = 5
_HIDDEN = (
    "_sequence",
    "_ingestion_timestamp",
    "_source_modified_at",
    "_source_row",
    "_quarantined_timestamp",
)


def sample_rows(table: DeltaTable, where: str) -> list[dict[str, Any]]:
    """Five rows that satisfy the SQL predicate, without the columns that only the lake needs."""
    query = QueryBuilder().register("rows", table)
    found = pa.table(query.execute(f"SELECT * FROM rows WHERE {where} LIMIT {ROWS}")).to_pylist()
    return [{name: value for name, value in row.items() if name not in _HIDDEN} for row in found]


def shown_columns(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """The columns in which a row has a value; the reason first, as a wide table is cut off."""
    names = [name for name in rows[0] if any(row[name] is not None for row in rows)]
    return sorted(names, key=lambda name: name != "_failed_rules")


def shown_value(value: Any) -> str:
    """At most 60 characters, in one line; nothing for NULL."""
    value = value.decode(errors="replace") if isinstance(value, bytes) else value
    value = ", ".join(map(str, value)) if isinstance(value, list) else value
    return "" if value is None else str(value).replace("\n", " ")[:60]
