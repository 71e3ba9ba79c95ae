"""Keeps the lake in shape, as the daily job does, and prints what it saved."""

import sys
from collections.abc import Mapping
from typing import Any

import dagster as dg

from medallion_assets.commands.job_runner import StepClock, failures, instance, run_for


def main() -> int:
    print("Upkeep of all tables:")
    with instance() as kept:
        result = run_for(kept, "daily_maintenance", {}, tell=StepClock())
    for event in result.all_events:
        if event.is_successful_output:
            print(*report(event.step_output_data.metadata), sep="\n")
        if event.is_step_failure and (failure := event.step_failure_data.user_failure_data):
            print(*report(failure.metadata), sep="\n")
    if not result.success:
        print(*failures(result), sep="\n", file=sys.stderr)
    return 0 if result.success else 1


def report(metadata: Mapping[str, dg.MetadataValue[Any]]) -> list[str]:
    told = {name: value.value for name, value in metadata.items()}
    totals = (
        "  {tables} tables: {rows_expired} rows expired, {files_compacted} files compacted, "
        "{files_removed} removed ({bytes_removed:,} bytes)"
    )
    return [*(f"  {line}" for line in told["saved"]), totals.format(**told)]


if __name__ == "__main__":
    sys.exit(main())
