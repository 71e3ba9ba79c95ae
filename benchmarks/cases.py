"""What is measured. A new case is one more entry of `all_cases`."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from benchmarks.data import Data

TABLE_SIDES = ("ours", "bare", "duckdb")
ALL_SIDES = (*TABLE_SIDES, "limit")
TO_SILVER = ("bronze", "silver")


@dataclass(frozen=True)
class Load:
    """One run over days, given by number. The files of these days that fit the pattern land just before it.

    job: a job of the repository; the sides beside ours know landing_to_gold only
    """

    first: int = 0
    days: int = 1
    files: str = "*"
    job: str = "landing_to_gold"


@dataclass(frozen=True)
class Case:
    """A measured load. Ratios are to the side after the first.

    base: loads before it, in a process of their own, once for all rounds
    warm: loads before it, in the same process; like `base` they are not counted
    """

    about: str
    data: Data
    load: Load = field(default_factory=Load)
    base: tuple[Load, ...] = ()
    warm: tuple[Load, ...] = ()
    sides: Sequence[str] = ALL_SIDES
    layers: Sequence[str] = ("bronze", "silver", "gold")


@dataclass(frozen=True)
class Sizes:
    """day: order lines of a large day; millions: order lines that changes meet; file: lines of a file of 1 GB."""

    day: int = 1_000_000
    millions: tuple[int, ...] = (4,)
    file: int = 12_500_000


QUICK = ("cold", "small", "tick")
QUICK_SIZES = Sizes(day=100_000, millions=(1,), file=100_000)


def all_cases(sizes: Sizes) -> dict[str, Case]:
    """Name -> case."""
    day, second = sizes.day, Load(first=1)
    one_day = (Load(),)
    return {
        "cold": Case(f"the first day, {day:,} lines", Data(day)),
        "next": Case(f"the next day of {day:,} lines", Data(day, days=2), second, base=one_day),
        "month": Case(f"30 days of {day // 5:,} lines in one run", Data(day // 5, days=30), Load(days=30)),
        "empty_year": Case("365 days of 20 lines in one run", Data(20, days=365), Load(days=365)),
        "empty_400": Case("400 days of 20 lines in one run", Data(20, days=400), Load(days=400)),
        "one_empty_day": Case("a day of 20 lines, to compare the empty years with", Data(20)),
        **_changes(sizes.millions),
        "tick": Case(
            "500 new lines in a warm session, a day of a tenth of a large one before them",
            Data(day // 10, ticks=3),
            Load(first=1, files="tick-2*"),
            base=one_day,
            warm=(Load(first=1, files="tick-0*"), Load(first=1, files="tick-1*")),
            sides=TABLE_SIDES,
        ),
        "small": Case("a day of 100 lines", Data(100)),
        "checks": Case(
            f"all checks of a day of {day:,} lines, without writing",
            Data(day),
            Load(files="", job="all_checks"),
            base=one_day,
            sides=("ours",),
        ),
        "rules": Case(
            f"rules and checks on against off, the first day of {day:,} lines",
            Data(day),
            sides=("ours", "ours_no_rules"),
        ),
        "one_file": Case(
            f"one file of {sizes.file:,} lines, bronze and silver", Data(sizes.file), layers=TO_SILVER
        ),
    }


def _changes(millions: Sequence[int]) -> dict[str, Case]:
    """Changes on five days all over the tables, with keys that statistics can rule out and with keys they cannot."""
    return {
        f"changes_{size}m_{keys}": Case(
            f"10,000 changes on {size} million lines, {keys} keys",
            Data(100_000, days=size * 10, keys=keys, changes=10_000),
            Load(first=size * 10),
            base=(Load(days=size * 10),),
        )
        for size in millions
        for keys in ("ascending", "random")
    }
