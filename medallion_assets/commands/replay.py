"""Judges and folds again what a corrected rule or mapping may have freed, and says how many rows came free."""

import argparse
import sys

from medallion_assets.commands.job_runner import StepClock, failures, instance, run_for


def main() -> int:
    parser = argparse.ArgumentParser(description="Restate the stale days and those with quarantined rows.")
    parser.add_argument("--table", required=True, help="a silver table, such as orders")
    name = parser.parse_args().table
    print(f"Replay of silver.{name}, and of gold as far as it changes:")
    with instance() as kept:
        result = run_for(kept, "replay", {"table": name}, tell=StepClock())
    if not result.success:
        print(*failures(result), sep="\n", file=sys.stderr)
    for event in result.all_events:
        if event.is_successful_output and event.step_key == "replay_table":
            figures = {key: value.value for key, value in event.step_output_data.metadata.items()}
            print(
                "  {days} days restated, {freed} rows came free, {quarantined} are in quarantine".format(
                    **figures
                )
            )
    return 0 if result.success else 1


if __name__ == "__main__":
    sys.exit(main())
