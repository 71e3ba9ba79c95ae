"""What the commands take: tables and days, refused before anything is started where there is no such one."""

import argparse
from collections.abc import Callable
from datetime import date
from difflib import get_close_matches

from medallion_assets.orchestration.partitions import CALENDAR
from medallion_assets.tables import find_tables


def table_of(*layers: str) -> Callable[[str], str]:
    """Reads the key of a table of these layers. A name alone is one of the first layer that has it."""

    def table(text: str) -> str:
        known = [key for key in find_tables() if key.split("/")[0] in layers]
        named = [text.strip()] if "/" in text else [f"{layer}/{text.strip()}" for layer in layers]
        found = [key for key in named if key in known]
        if not found:
            names = {key.split("/")[1]: key for key in known}
            alike = get_close_matches(text.rpartition("/")[2], names, n=1)
            meant = f" (did you mean {names[alike[0]]}?)" if alike else ""
            raise argparse.ArgumentTypeError(
                f"there is no table {text!r}{meant}; there are {', '.join(known)}"
            )
        return found[0]

    return table


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
