"""Pure decisions on files and days: what to land, what to fold, and how."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import Enum

Identity = tuple[int, str]
"""Size in bytes and modification time: what makes a landed file the same file."""


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


def later(a: str, b: str) -> str:
    """The greater of two watermarks: ISO times of one format, or whole numbers."""
    return max(a, b, key=lambda text: (int(text), "") if text.isdigit() else (0, text))


class Fold(Enum):
    """How a day of silver is brought up to date."""

    NOTHING = "nothing"
    INCREMENTAL = "incremental"
    RESTATE = "restate"


@dataclass(frozen=True)
class DayPlan:
    """`files` are the files whose rows must be judged."""

    fold: Fold
    files: frozenset[str]


def plan_day(
    landed: Mapping[str, Identity],
    folded: Mapping[str, Identity],
    fingerprints: Collection[str],
    fingerprint: str,
) -> DayPlan:
    """Only added files can be folded on top; a changed or vanished file or a changed contract restates the day.

    `landed` is what bronze's ledger says of the day; `folded` and its `fingerprints` are what silver's ledger says.
    """
    unchanged = set(fingerprints) <= {fingerprint} and folded.items() <= landed.items()
    if not unchanged:
        return DayPlan(Fold.RESTATE, frozenset(landed))
    added = frozenset(landed) - frozenset(folded)
    return DayPlan(Fold.INCREMENTAL if added else Fold.NOTHING, added)
