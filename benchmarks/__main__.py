"""`python -m benchmarks`: runs the cases, prints their tables, and writes all figures as JSON."""

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path

from benchmarks import ROOT, report
from benchmarks.cases import ALL_SIDES, QUICK, QUICK_SIZES, Sizes, all_cases
from benchmarks.machine import machine, versions
from benchmarks.rounds import Result, SideFailed, SidesDiffer, run_case


def main() -> int:
    asked = _asked()
    sizes = QUICK_SIZES if asked.quick else Sizes()
    sizes = replace(sizes, day=asked.lines or sizes.day, millions=tuple(asked.millions or sizes.millions))
    known = all_cases(sizes)
    names = asked.cases or (QUICK if asked.quick else known)
    if unknown := [name for name in names if name not in known]:
        print(f"No such case: {', '.join(unknown)}. There are {', '.join(known)}.", file=sys.stderr)
        return 2
    about = {"command": " ".join(sys.argv[1:]), "machine": machine(), "versions": versions()}
    rounds = asked.rounds or (1 if asked.quick else 3)
    print(f"{', '.join(names)}; {rounds} round(s), each side in a process of its own; medians.")
    results: dict[str, Result] = {}
    failed = []
    asked.cache.mkdir(parents=True, exist_ok=True)
    for name in names:
        case = known[name]
        sides = [side for side in case.sides if side in asked.sides or side not in ALL_SIDES]
        if not sides:
            continue
        try:
            results[name] = run_case(case, sides, rounds, asked.cache)
        except (SideFailed, SidesDiffer) as error:
            failed.append(name)
            print(f"\n{name}: {error}", file=sys.stderr, flush=True)
            continue
        print(f"\n{report.case_text(name, results[name])}", flush=True)
        _write(asked.json, {**about, "cases": report.as_json(results)})
    if results:
        print(f"\nAll cases:\n\n{report.summary(results)}\n\nAll figures are in {asked.json}.")
    return 1 if failed else 0


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m benchmarks", description="What a run costs.")
    parser.add_argument(
        "--quick", action="store_true", help=f"one round of {', '.join(QUICK)}, a tenth of the lines"
    )
    parser.add_argument("--rounds", type=int, help="how often each side runs (3; 1 with --quick)")
    parser.add_argument("--cases", type=_names, help="their names, separated by commas")
    parser.add_argument("--sides", type=_names, default=ALL_SIDES, help="of " + ", ".join(ALL_SIDES))
    parser.add_argument("--lines", type=int, help="order lines of a large day")
    parser.add_argument("--millions", type=int, nargs="+", help="millions of lines that the changes meet (4)")
    parser.add_argument(
        "--json", type=Path, default=ROOT / "build" / "benchmarks.json", help="a file for all figures"
    )
    parser.add_argument(
        "--cache", type=Path, default=ROOT / ".cache" / "benchmarks", help="where data is kept"
    )
    return parser.parse_args()


def _names(text: str) -> list[str]:
    return text.split(",")


def _write(file: Path, figures: dict[str, object]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    sys.exit(main())
