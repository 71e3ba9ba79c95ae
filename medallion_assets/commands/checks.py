"""Runs all checks of a day or of a range of days, without rewriting data.

Exit code: 1 if a check with severity ERROR fails, 2 for wrong arguments. Prints each failed check with its day, its
figures and a few of the rows it failed on; `--junit FILE` writes the results for a CI system.
"""

import argparse
import sys
from pathlib import Path

import dagster as dg

from medallion_assets.commands import junit_report
from medallion_assets.commands.arguments import day
from medallion_assets.commands.job_runner import dagster_instance, evaluations, failures, run
from medallion_assets.commands.text_table import table
from medallion_assets.orchestration.assets.previews import rows_breaking
from medallion_assets.orchestration.resources import LakehouseResource
from medallion_assets.tables import find_tables


def main() -> int:
    parser = argparse.ArgumentParser(description="Run all checks of a day or a range of days.")
    parser.add_argument("--day", type=day, help="one day, YYYY-MM-DD")
    parser.add_argument("--from", dest="first", type=day, help="the first day of a range")
    parser.add_argument("--to", dest="last", type=day, help="the last day of a range")
    parser.add_argument("--junit", type=Path, help="a file for the results as JUnit XML")
    asked = parser.parse_args()
    first, last = asked.first or asked.day, asked.last or asked.first or asked.day
    if first is None or (asked.day and asked.first):
        parser.error("say which days: DAY=2017-01-05, or FROM=2017-01-01 TO=2017-01-07")
    if last < first:
        parser.error(f"FROM={first} is after TO={last}")
    return run_checks(first, last, asked.junit)


def run_checks(first: str, last: str, file: Path | None) -> int:
    """Runs the checks and reports them; returns the exit code. The file is written even if the run fails."""
    found, errors = [], ["the checks could not be run: see the console for the reason"]
    try:
        with dagster_instance() as instance:
            result = run(instance, "all_checks", first, last, on_event=lambda event: None)
        found = evaluations(result)
        errors = [] if result.success else failures(result) or ["the run failed, but none of its steps did"]
    finally:
        if file:
            junit_report.write(file, found, errors)
    if errors:
        print(*errors, sep="\n", file=sys.stderr)
        return 1
    return report(found)


def report(found: list[dg.AssetCheckEvaluation]) -> int:
    """Prints the failed checks and the totals; returns the exit code."""
    failed = [check for check in found if not check.passed]
    errors = [check for check in failed if check.severity is dg.AssetCheckSeverity.ERROR]
    if failed:
        print("Failed checks:")
        print(table(("severity", "day", "asset", "check", "figures"), sorted(map(_row, failed))))
    lakehouse, tables = LakehouseResource(), find_tables()
    for check in failed:
        of = tables["/".join(check.asset_key.path)]
        for example in rows_breaking(lakehouse, of, check.check_name, check.partition or ""):
            print(f"  {check.partition} {check.asset_key.to_user_string()} {check.check_name}: {example}")
    passed, warned = len(found) - len(failed), len(failed) - len(errors)
    print(f"{len(found)} checks: {passed} passed, {warned} warned, {len(errors)} failed")
    return 1 if errors else 0


def _row(check: dg.AssetCheckEvaluation) -> tuple[str, ...]:
    asset, figures = check.asset_key.to_user_string(), junit_report.figures(check)
    return check.severity.value, check.partition or "", asset, check.check_name, figures


if __name__ == "__main__":
    sys.exit(main())
