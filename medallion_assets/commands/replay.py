"""Re-runs the stale days and those with quarantined rows after a fix; prints how many rows left quarantine."""

import argparse
import sys

from medallion_assets.commands.arguments import table_of
from medallion_assets.commands.job_runner import StepClock, dagster_instance, failures, run_on_table


def main() -> int:
    parser = argparse.ArgumentParser(description="Re-run the stale days and those with quarantined rows.")
    parser.add_argument("--table", required=True, type=table_of("silver"), help="such as orders")
    name = parser.parse_args().table.removeprefix("silver/")
    print(f"Replay of silver.{name}, with the gold days that change:")
    with dagster_instance() as instance:
        result = run_on_table(instance, "replay", {"table": name}, on_event=StepClock())
    if not result.success:
        print(*failures(result), sep="\n", file=sys.stderr)
    for event in result.all_events:
        if event.is_successful_output and event.step_key == "replay_table":
            figures = {key: value.value for key, value in event.step_output_data.metadata.items()}
            print(
                "  {days} days re-run; {freed} rows left quarantine, {quarantined} are still in it".format(
                    **figures
                )
            )
    return 0 if result.success else 1


if __name__ == "__main__":
    sys.exit(main())
