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
    begun: Collection[str] = (),
) -> DayPlan:
    """Only added files can be merged by themselves; a changed or vanished file or a changed contract restates the day.

    `landed` is what bronze's ledger says of the day; `folded` and its `fingerprints` are what silver's ledger says.
    begun: those of the folded files whose merge nobody ended. Beside others that were merged they had been added, and
    to merge them once more changes nothing. Where there is no other, the day may have been restated.
    """
    may_be_restated = len(begun) == len(folded) > 0
    unchanged = set(fingerprints) <= {fingerprint} and folded.items() <= landed.items()
    if not unchanged or may_be_restated:
        return DayPlan(Merge.RESTATE, frozenset(landed))
    added = frozenset(landed) - frozenset(folded) | frozenset(begun)
    return DayPlan(Merge.ADDED if added else Merge.NOTHING, added)
