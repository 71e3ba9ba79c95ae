"""Runs the daily maintenance of all tables now, and prints what was compacted and removed."""

import sys
from collections.abc import Mapping
from typing import Any

import dagster as dg

from medallion_assets.commands.job_runner import StepClock, dagster_instance, failures, run_on_table


def main() -> int:
    print("Maintenance of all tables:")
    with dagster_instance() as instance:
        result = run_on_table(instance, "daily_maintenance", {}, on_event=StepClock())
    for event in result.all_events:
        if event.is_successful_output:
            print(*report(event.step_output_data.metadata), sep="\n")
        failure = event.step_failure_data.user_failure_data if event.is_step_failure else None
        if failure and failure.metadata:
            print(*report(failure.metadata), sep="\n")
    if not result.success:
        print(*failures(result), sep="\n", file=sys.stderr)
    return 0 if result.success else 1


def report(metadata: Mapping[str, dg.MetadataValue[Any]]) -> list[str]:
    values = {name: value.value for name, value in metadata.items()}
    totals = (
        "  {tables} tables: {rows_expired} rows expired, {files_compacted} files compacted, "
        "{files_removed} removed ({bytes_removed:,} bytes)"
    )
    return [*(f"  {line}" for line in values["saved"]), totals.format(**values)]


if __name__ == "__main__":
    sys.exit(main())
