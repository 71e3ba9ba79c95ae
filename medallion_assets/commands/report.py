"""Writes the report, one HTML page of the lake's days, and prints where it is and what is in it. No Spark.

Exit code: 2 for wrong arguments.
"""

import argparse
import sys
from pathlib import Path

from medallion_assets.commands.arguments import day
from medallion_assets.orchestration.resources import LakehouseResource
from medallion_assets.report.build import build_report, write
from medallion_assets.tables import find_tables

FILE = Path("build/report.html")


def main() -> int:
    parser = argparse.ArgumentParser(description="Write the report of a range of days.")
    parser.add_argument(
        "--from", dest="first", type=day, help="the first day; without it the last 30 with data"
    )
    parser.add_argument("--to", dest="last", type=day, help="the last day; without it the newest one")
    asked = parser.parse_args()
    if asked.first and asked.last and asked.last < asked.first:
        parser.error(f"FROM={asked.first} is after TO={asked.last}")
    report = build_report(LakehouseResource().lake_root, find_tables(), asked.first, asked.last)
    write(report, FILE)
    print(f"{FILE.absolute()}\n{report.summary}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
