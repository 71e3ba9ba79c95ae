"""Prints how each table stands, one line each: its last day with data or the day that is asked for. No Spark."""

import argparse
import sys

from medallion_assets.commands.arguments import day
from medallion_assets.commands.text_table import table
from medallion_assets.lakehouse.monitoring.table_status import TableStatus, status_of
from medallion_assets.orchestration.resources import LakehouseResource
from medallion_assets.tables import find_tables

COLUMNS = ("table", "day", "outcome", "rows in", "quarantined", "last run (UTC)", "seconds")


def main() -> int:
    parser = argparse.ArgumentParser(description="How each table stands.")
    parser.add_argument("--day", type=day, help="a day, YYYY-MM-DD; else each table's last day with data")
    asked = parser.parse_args().day
    place = LakehouseResource()
    found = status_of(place.lake_root, place.landing_root, find_tables().values(), asked or "")
    if not any(one.last_run for one in found):
        print(f"No run is recorded in {place.lake_root}{f' for {asked}' if asked else ''}.")
    print(table(COLUMNS, [_row(one) for one in found]))
    return 0


def _row(one: TableStatus) -> tuple[object, ...]:
    last_run = f"{one.last_run:%Y-%m-%d %H:%M:%S}" if one.last_run else None
    return one.key, one.day, one.outcome, one.rows, one.quarantined, last_run, one.seconds


if __name__ == "__main__":
    sys.exit(main())
