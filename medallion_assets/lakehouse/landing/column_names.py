"""Column names as they land, made into names that Delta takes. Names of any other kind stay as they are."""

import re
from collections.abc import Sequence

from medallion_assets.errors import MedallionError


class UnreadableFile(MedallionError):
    """A file cannot be read as it is. The message says what is wrong and how to fix it; the caller adds the path."""


def clean_name(name: str, position: int) -> str:
    """A name that Delta takes and that is no technical column. `position`, from 1 on, names an empty one."""
    name = re.sub(r"[ ,;{}()\n\t=]", "_", name.strip()) or f"column_{position}"
    return f"landed{name}" if name.startswith("_") else name


def clean_names(names: Sequence[str]) -> tuple[str, ...]:
    """Clean names, in order. UnreadableFile if two are the same column for Spark and Delta."""
    cleaned = tuple(clean_name(name, position) for position, name in enumerate(names, start=1))
    seen: set[str] = set()
    for name in cleaned:
        if name.lower() in seen:
            raise UnreadableFile(f"the column {name!r} occurs twice (case aside); rename one of them")
        seen.add(name.lower())
    return cleaned
