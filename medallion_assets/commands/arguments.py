"""What the commands take: tables and days, refused before anything is started where there is no such one."""

import argparse
from collections.abc import Callable, Sequence
from datetime import date
from difflib import get_close_matches

from medallion_assets.lakehouse.monitoring.stored_tables import stored_tables
from medallion_assets.orchestration.partitions import CALENDAR
from medallion_assets.orchestration.resources import LakehouseResource
from medallion_assets.tables import find_tables


def table_of(*layers: str) -> Callable[[str], str]:
    """Reads the key of a table of these layers. A name alone is one of the first layer that has it."""

    def table(text: str) -> str:
        return _named(text, [key for key in find_tables() if key.split("/")[0] in layers], layers)

    return table


def any_table(text: str) -> str:
    """Reads the key of a table of the repository, or of any other in the lake. A name alone is silver's first."""
    tables = find_tables()
    stored = stored_tables(LakehouseResource().lake_root, tables.values())
    known = list(dict.fromkeys([*tables, *stored]))
    layers = dict.fromkeys(["silver", "gold", "bronze", *(key.split("/")[0] for key in stored)])
    return _named(text, known, [*layers])


def _named(text: str, known: Sequence[str], layers: Sequence[str]) -> str:
    named = [text.strip()] if "/" in text else [f"{layer}/{text.strip()}" for layer in layers]
    found = [key for key in named if key in known]
    if not found:
        meant = _meant(text.strip(), known, layers)
        hint = f" (did you mean {meant}?)" if meant else ""
        raise argparse.ArgumentTypeError(f"there is no table {text!r}{hint}; there are {', '.join(known)}")
    return found[0]


def _meant(text: str, known: Sequence[str], layers: Sequence[str]) -> str:
    """The key whose name is most like it, of the layer that is most like it, or else of the first one."""
    layer, _, name = text.rpartition("/")
    alike = get_close_matches(name, dict.fromkeys(key.split("/")[1] for key in known), n=1)
    of_name = {key.split("/")[0]: key for key in known if key.split("/")[1] in alike}
    near = [*get_close_matches(layer, of_name, n=1), *(one for one in layers if one in of_name)]
    return of_name[near[0]] if near else ""


def day(text: str) -> str:
    """Reads a day of the calendar."""
    try:
        found = str(date.fromisoformat(text.strip()))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no day: write it as 2017-01-05") from None
    if not CALENDAR.has_partition_key(found):
        first = f"{CALENDAR.start:%Y-%m-%d}"
        raise argparse.ArgumentTypeError(
            f"{found} is outside the calendar: MEDALLION_FIRST_DAY={first} to today"
        )
    return found
