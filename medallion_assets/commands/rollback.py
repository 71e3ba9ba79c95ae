"""Restores a table to an older version, and says what that took back and which days to restate."""

import argparse
import sys

from medallion_assets.commands.job_runner import StepClock, failures, instance, run_for


def main() -> int:
    parser = argparse.ArgumentParser(description="Restore a table to a version, or to that of a time.")
    parser.add_argument("--table", required=True, help="layer and name, such as silver/orders")
    parser.add_argument("--version", default="", help="a version, such as 3")
    parser.add_argument("--as-of", default="", help="a time (UTC unless it says otherwise): 2026-01-05T10:00")
    asked = parser.parse_args()
    config = {"table": asked.table, "version": asked.version, "as_of": asked.as_of}
    print(f"Rollback of {asked.table}:")
    with instance() as kept:
        result = run_for(kept, "rollback", config, tell=StepClock())
    if not result.success:
        print(*failures(result), sep="\n", file=sys.stderr)
        return 1
    for event in result.all_events:
        if event.is_successful_output and event.step_key == "rollback_table":
            told = {name: value.value for name, value in event.step_output_data.metadata.items()}
            print(*report(told), sep="\n  ")
    return 0


def report(told: dict) -> list[str]:
    first, last = told["from_version"], told["to_version"]
    if first == last:
        return [f"  version {first} is the current one: nothing was done"]
    lines = [
        f"  from version {first} back to {last}; {told['taken_back']} entries of its ledgers were taken back"
    ]
    if told["days"]:
        lines += [f"days to restate: {', '.join(told['days'])}", *told["commands"]]
    return lines


if __name__ == "__main__":
    sys.exit(main())
