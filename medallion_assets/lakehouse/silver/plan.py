"""How a day of silver is brought up to date: a pure decision on files and fingerprints."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import Enum

from medallion_assets.contracts.file_identity import Identity


class Merge(Enum):
    """What is merged of a day: nothing, the added files alone, or the whole day again."""

    NOTHING = "nothing"
    ADDED = "added"
    RESTATE = "restate"


@dataclass(frozen=True)
class DayPlan:
    """`files` are the files whose rows must be validated."""

    merge: Merge
    files: frozenset[str]


def plan_day(
    landed: Mapping[str, Identity],
    folded: Mapping[str, Identity],
    fingerprints: Collection[str],
    fingerprint: str,
) -> DayPlan:
    """Only added files can be merged by themselves; a changed or vanished file or a changed contract restates the day.

    `landed` is what bronze's ledger says of the day; `folded` and its `fingerprints` are what silver's ledger says.
    """
    unchanged = set(fingerprints) <= {fingerprint} and folded.items() <= landed.items()
    if not unchanged:
        return DayPlan(Merge.RESTATE, frozenset(landed))
    added = frozenset(landed) - frozenset(folded)
    return DayPlan(Merge.ADDED if added else Merge.NOTHING, added)
