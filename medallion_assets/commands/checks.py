"""All checks of a day or of a range of days, without rewriting data.

Exits with 1 if a check with severity ERROR fails, 2 if the arguments do not fit, and prints each failed check with its
day, its figures and a few of the rows that it is about. `--junit FILE` tells CI the same.
"""

import argparse
import sys
from datetime import date
from pathlib import Path

import dagster as dg

from medallion_assets.commands import junit_report
from medallion_assets.commands.job_runner import evaluations, failures, instance, run, table
from medallion_assets.orchestration.assets.previews import rows_breaking
from medallion_assets.orchestration.partitions import CALENDAR
from medallion_assets.orchestration.resources import LakehouseResource


def main() -> int:
    parser = argparse.ArgumentParser(description="Run all checks of a day or a range of days.")
    parser.add_argument("--day", type=date.fromisoformat, help="one day, YYYY-MM-DD")
    parser.add_argument("--from", dest="first", type=date.fromisoformat, help="the first day of a range")
    parser.add_argument("--to", dest="last", type=date.fromisoformat, help="the last day of a range")
    parser.add_argument("--junit", type=Path, help="a file for the results as JUnit XML")
    asked = parser.parse_args()
    first, last = asked.first or asked.day, asked.last or asked.first or asked.day
    if first is None or (asked.day and asked.first) or last < first:
        parser.error("say which days: DAY=2017-01-05, or FROM=2017-01-01 TO=2017-01-07")
    for day in (first, last):
        if not CALENDAR.has_partition_key(str(day)):
            parser.error(
                f"{day} is outside the calendar, which starts at MEDALLION_FIRST_DAY={CALENDAR.start:%Y-%m-%d}"
            )
    return validated(str(first), str(last), asked.junit)


def validated(first: str, last: str, file: Path | None) -> int:
    """Runs the checks and reports them; the file is written whatever becomes of the run."""
    found, errors = [], ["the checks could not be run: the reason is on the console"]
    try:
        with instance() as kept:
            result = run(kept, "all_checks", first, last, tell=lambda event: None)
        found = evaluations(result)
        errors = [] if result.success else failures(result) or ["the run failed without a failed step"]
    finally:
        if file:
            junit_report.write(file, found, errors)
    if errors:
        print(*errors, sep="\n", file=sys.stderr)
        return 1
    return report(found)


def report(found: list[dg.AssetCheckEvaluation]) -> int:
    failed = [check for check in found if not check.passed]
    errors = [check for check in failed if check.severity is dg.AssetCheckSeverity.ERROR]
    lakehouse = LakehouseResource()
    if failed:
        print("Checks that did not pass:")
        rows = [
            (
                c.severity.value,
                c.partition,
                c.asset_key.to_user_string(),
                c.check_name,
                junit_report.figures(c),
            )
            for c in sorted(
                failed, key=lambda c: (c.severity.value, c.partition or "", c.asset_key, c.check_name)
            )
        ]
        print(table(("severity", "day", "asset", "check", "figures"), rows))
    for check in failed:
        for sample in rows_breaking(lakehouse, check.asset_key, check.check_name, check.partition or ""):
            print(f"  {check.partition} {check.asset_key.to_user_string()} {check.check_name}: {sample}")
    passed, warned = len(found) - len(failed), len(failed) - len(errors)
    print(f"{len(found)} checks: {passed} passed, {warned} warned, {len(errors)} failed")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
