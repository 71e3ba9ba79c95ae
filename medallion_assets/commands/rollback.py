"""Restores a table to an older version; prints the reverted ledger entries and the days to re-run.

Exit code: 1 if the run fails, 2 if there is no such table, version or time; then there is no run.
"""

import argparse
import sys
from typing import Any

from medallion_assets.commands.arguments import table_of
from medallion_assets.commands.job_runner import StepClock, dagster_instance, failures, run_on_table
from medallion_assets.lakehouse.maintenance import time_travel
from medallion_assets.orchestration.resources import LakehouseResource
from medallion_assets.tables import find_tables


def main() -> int:
    parser = argparse.ArgumentParser(description="Restore a table to a version, or to its version at a time.")
    parser.add_argument(
        "--table", required=True, type=table_of("silver", "gold", "bronze"), help="such as silver/orders"
    )
    parser.add_argument("--version", default="", help="a version, such as 3")
    parser.add_argument("--as-of", default="", help="a time (UTC unless it says otherwise): 2026-01-05T10:00")
    asked = parser.parse_args()
    root = LakehouseResource().lake_root
    try:
        time_travel.find(root, find_tables(), asked.table)
        time_travel.version_asked(root, asked.table, asked.version, asked.as_of)
    except time_travel.RollbackError as error:
        parser.error(str(error))
    config = {"table": asked.table, "version": asked.version, "as_of": asked.as_of}
    print(f"Rollback of {asked.table}:")
    with dagster_instance() as instance:
        result = run_on_table(instance, "rollback", config, on_event=StepClock())
    if not result.success:
        print(*failures(result), sep="\n", file=sys.stderr)
        return 1
    for event in result.all_events:
        if event.is_successful_output and event.step_key == "rollback_table":
            values = {name: value.value for name, value in event.step_output_data.metadata.items()}
            print(*report(values), sep="\n  ")
    return 0


def report(done: dict[str, Any]) -> list[str]:
    """done: the fields of `Rollback`, and the commands."""
    before, after = done["from_version"], done["to_version"]
    if before == after:
        return [f"  version {before} is the current one: nothing was done"]
    lines = [
        f"  from version {before} back to {after}; {done['taken_back']} entries of its ledgers were reverted"
    ]
    if done["days"]:
        lines += [f"days to re-run: {', '.join(done['days'])}", *done["commands"]]
    return lines


if __name__ == "__main__":
    sys.exit(main())
