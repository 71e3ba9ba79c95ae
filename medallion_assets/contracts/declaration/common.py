"""What is checked of every table, and what the checks of the layers share."""

import re
from collections.abc import Collection, Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

from medallion_assets.contracts.column import INGESTION_DATE
from medallion_assets.contracts.column_identity import column_key
from medallion_assets.contracts.freshness import validate_days_off
from medallion_assets.contracts.sql_text import SqlError, columns_of
from medallion_assets.contracts.sql_types import NoSuchType, normal_type
from medallion_assets.contracts.table import Table

Faults = Iterator[tuple[str, str]]
"""(field, what is wrong with it and how to mend it)"""

_NOT_IN_NAMES = " ,;{}()\n\t="
"""What Delta takes in no column's name; landing writes _ for it."""
_WORD = re.compile(r"[A-Za-z0-9_]+")


def faults(table: Table, known: Collection[str]) -> Faults:
    yield from _names(table)
    yield from _columns(table)
    yield from _lineage(table)
    yield from negative("due", table.due)
    try:
        validate_days_off(table.days_off)
    except ValueError as error:
        yield "days_off", str(error).removeprefix("days_off: ")
    for owner in table.owners:
        if not re.fullmatch(r"team:\w[\w-]*|[^@\s]+@[^@\s]+", owner):
            yield "owners", f"{owner!r} is neither an e-mail address nor team:<name>"
    for other in table.upstream:
        if other.key not in known:
            yield (
                "inputs",
                f"{other.key} is no table of this repository; give it a file in tables/{other.layer}",
            )


def _names(table: Table) -> Faults:
    if not _WORD.fullmatch(table.name):
        yield "name", f"{table.name!r} may have letters, digits and _ alone"
    if table.file:
        file = Path(table.file)
        if file.stem != table.name:
            yield "name", f"the table is {table.name!r} and its file {file.name}; name both alike"
        if file.parent.name != table.layer:
            yield "layer", f"a {type(table).__name__} in {file.parent.name}; move it to {table.layer}"


def _columns(table: Table) -> Faults:
    seen: set[str] = set()
    for i, column in enumerate(table.columns):
        field = f"columns[{i}]"
        if not column.name or set(column.name) & set(_NOT_IN_NAMES):
            yield (
                field,
                f"{column.name!r} is no name of a column: Delta takes no blank and none of ,;{{}}()= in it",
            )
        elif column.name.startswith("_") and not (table.layer == "gold" and column.name == INGESTION_DATE):
            yield (
                field,
                f"{column.name!r} begins with _, as only the lake's own columns do; name it otherwise",
            )
        if column_key(column.name) in seen:
            yield field, f"{column.name!r} is a column twice (capitals do not count); leave one out"
        seen.add(column_key(column.name))
        try:
            normal_type(column.type)
        except NoSuchType as error:
            yield f"{field}.type", str(error)
        if column.sentinels and column.type not in ("date", "timestamp"):
            yield (
                f"{field}.sentinels",
                f"{column.name!r} is a {column.type}; only dates and times have sentinels",
            )
        for text in column.sentinels:
            try:
                datetime.fromisoformat(text)
            except ValueError:
                yield f"{field}.sentinels", f"{text!r} is no date or time; write it as '9999-12-31'"
        if column.measure and table.layer != "gold":
            yield f"{field}.measure", f"only gold has measures; {table.key} keeps rows"
        if column.sources and table.layer != "silver":
            yield f"{field}.source", "only silver reads landed columns; leave it out"
    if not table.columns and table.layer != "bronze":
        yield "columns", "none are declared; a table has one at least"


def _lineage(table: Table) -> Faults:
    known = {f"{one.layer}.{one.name}": one for one in table.ancestors}
    for i, column in enumerate(table.columns):
        for source in column.lineage:
            layer, name, upstream = (*source.split(".", 2), "", "")[:3]
            owner = known.get(f"{layer}.{name}")
            if owner is None:
                listed = ", ".join(known) or "nothing"
                yield (
                    f"columns[{i}].lineage",
                    f"{source!r} is no layer.table.column of what it is made of: {listed}",
                )
            else:
                yield from unknown(f"columns[{i}].lineage", [upstream], owner.types, owner.key)


def unknown(field: str, names: Iterable[str], known: Collection[str], owner: str, mend: str = "") -> Faults:
    """The names that are none of the known columns."""
    for name in names:
        if name not in known:
            listed = ", ".join(known) or "(it has none)"
            yield field, f"{name!r} is no column of {owner}; {mend}name one of: {listed}"


def listed(field: str, names: tuple[str, ...], known: Collection[str], owner: str) -> Faults:
    """Columns that must be there, one at least, none twice."""
    if not names:
        yield field, f"it is empty; name one at least of: {', '.join(known)}"
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield field, f"{name!r} is in it twice; leave one out"
    yield from unknown(field, dict.fromkeys(names), known, owner)


def sql(
    field: str, text: str, known: Collection[str], owner: str, mend: str = "", landed: Collection[str] = ()
) -> Faults:
    """An SQL expression that names known columns. `landed`: those of `_landed`."""
    try:
        paths = sorted(columns_of(text))
    except SqlError as error:
        yield field, f"{text!r} is no SQL expression: {error}"
        return
    for path in paths:
        if path[0] == "_landed" and landed:
            yield from unknown(field, path[1:2], landed, "the landed rows", mend)
        else:
            yield from unknown(field, path[:1], known, owner, mend)


def negative(field: str, value: timedelta | None) -> Faults:
    if value is not None and value < timedelta():
        yield field, f"{value} is negative; write a timedelta of zero or more, or leave it out"
