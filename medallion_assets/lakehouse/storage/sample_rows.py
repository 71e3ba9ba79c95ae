"""A few rows of a table, read by delta-rs in milliseconds, and how people are shown them."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa
from deltalake import DeltaTable, QueryBuilder

from medallion_assets.contracts.technical_columns import (
    CORRUPT_RECORD,
    OP,
    PLACE_OF_MESSAGE,
    SOURCE_FILE,
)

ROWS = 5
MASK = "***"
"""What is shown of personal data that is there."""
_SHOWN = ("_failed_rules", OP, CORRUPT_RECORD, SOURCE_FILE, *PLACE_OF_MESSAGE)
"""Of the technical columns; the others would push those of the contract out of sight."""


def sample_rows(table: DeltaTable, where: str, pii: Collection[str]) -> list[dict[str, Any]]:
    """Five rows that satisfy the SQL predicate, without the columns that only the lake needs.

    pii: columns with personal data, which is masked; so are records that could not be parsed, as they may hold some
    """
    query = QueryBuilder().register("rows", table)
    found = pa.table(query.execute(f"SELECT * FROM rows WHERE {where} LIMIT {ROWS}")).to_pylist()
    masked = {*pii, CORRUPT_RECORD} if pii else set[str]()
    return [
        {
            name: MASK if name in masked and value is not None else value
            for name, value in row.items()
            if not name.startswith("_") or name in _SHOWN
        }
        for row in found
    ]


def shown_columns(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """The columns in which a row has a value; the reason first, as a wide table is cut off."""
    names = [name for name in rows[0] if any(row[name] is not None for row in rows)]
    return sorted(names, key=lambda name: name != "_failed_rules")


def shown_value(value: Any) -> str:
    """At most 60 characters, in one line; nothing for NULL."""
    value = value.decode(errors="replace") if isinstance(value, bytes) else value
    value = ", ".join(map(str, value)) if isinstance(value, list) else value
    return "" if value is None else str(value).replace("\n", " ")[:60]


def row_lines(rows: Sequence[Mapping[str, Any]], names: Iterable[str]) -> dict[str, str]:
    """Each row in a line, such as "row 1" -> "order_id=o1, order_status=lost": these columns, if they have a value."""
    wanted = dict.fromkeys(names)
    return {
        f"row {number}": ", ".join(
            f"{name}={shown_value(row[name])}" for name in wanted if row.get(name) is not None
        )
        for number, row in enumerate(rows, 1)
    }
