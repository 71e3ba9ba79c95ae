"""What to land of a day: a pure decision on files."""

from collections.abc import Mapping
from dataclasses import dataclass

from medallion_assets.contracts.file_identity import Identity


@dataclass(frozen=True)
class DayChange:
    """How a day's folder differs from what bronze took of it.

    read: files to read; replaced: files whose rows in bronze must go; whole: every row of the day must go.
    """

    read: frozenset[str]
    replaced: frozenset[str]
    whole: bool


def day_change(listed: Mapping[str, Identity], taken: Mapping[str, Identity], held: bool) -> DayChange:
    """`held`: bronze has rows of the day. Rows that no ledger knows (it was lost) leave only the whole day."""
    if held and not taken:
        return DayChange(frozenset(listed), frozenset(), whole=True)
    read = frozenset(path for path, identity in listed.items() if taken.get(path) != identity)
    return DayChange(
        read, replaced=frozenset(taken) & read | frozenset(taken) - frozenset(listed), whole=False
    )
