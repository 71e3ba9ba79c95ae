"""Column names as they land, made into names that Delta takes. Names of any other kind stay as they are."""

import re
from collections.abc import Collection, Sequence

from medallion_assets.contracts.column_identity import column_key
from medallion_assets.errors import MedallionError


class UnreadableFile(MedallionError):
    """A file cannot be read as it is. The message says what is wrong and how to fix it; the caller adds the path."""


def clean_name(name: str, position: int) -> str:
    """A name that Delta takes and that is no technical column. `position`, from 1 on, names an empty one.

    A field that has no position has 0, so that its name depends on nothing else.
    """
    name = re.sub(r"[ ,;{}()\n\t=]", "_", name.strip()) or f"column_{position}"
    return f"landed{name}" if name.startswith("_") else name


def clean_names(names: Sequence[str]) -> tuple[str, ...]:
    """Clean names, in order. UnreadableFile if two are the same column for Spark and Delta."""
    cleaned = tuple(clean_name(name, position) for position, name in enumerate(names, start=1))
    seen: set[str] = set()
    for name in cleaned:
        if column_key(name) in seen:
            raise UnreadableFile(f"the column {name!r} occurs twice (case aside); rename one of them")
        seen.add(column_key(name))
    return cleaned


def has_any(names: Sequence[str], required: Collection[str]) -> bool:
    """Whether one of the landed names is one of the required columns; also where none is required."""
    return not required or not keys_of(names).isdisjoint(map(column_key, required))


def keys_of(names: Sequence[str]) -> set[str]:
    """What each landed name is as a column."""
    return {column_key(clean_name(name, position)) for position, name in enumerate(names, start=1)}


def check_any_required(names: Sequence[str], required: Collection[str]) -> None:
    """UnreadableFile unless one of the landed names is one of the required columns, if there are any."""
    if not has_any(names, required):
        raise UnreadableFile(
            f"{none_of(required)}; land it with these, or land it for the table that it is of"
        )


def none_of(required: Collection[str]) -> str:
    return f"it has none of the contract's columns ({', '.join(required)})"
