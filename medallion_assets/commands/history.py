"""Prints the versions of a table, the newest first: time, operation, run and rows. No Spark."""

import argparse
import sys

from medallion_assets.commands.arguments import any_table
from medallion_assets.commands.text_table import table
from medallion_assets.lakehouse.monitoring.table_history import TableVersion, history_of
from medallion_assets.lakehouse.storage import transaction_log
from medallion_assets.orchestration.resources import LakehouseResource

SHOWN = 50
COLUMNS = ("version", "at (UTC)", "operation", "run", "rows")


def main() -> int:
    parser = argparse.ArgumentParser(description="The versions of a table.")
    parser.add_argument("--table", required=True, type=any_table, help="such as silver/orders")
    key, root = parser.parse_args().table, LakehouseResource().lake_root
    found = history_of(root, key, SHOWN)
    if not found:
        print(f"{key} has no version in {root}: no run has written it yet.")
        return 0
    print(f"{key}: {transaction_log.rows(root, key):,} rows in version {found[0].version}")
    print(table(COLUMNS, [_row(key, one) for one in found]))
    if first := found[-1].version:
        print(f"Versions before {first} are not shown.")
    return 0


def _row(key: str, one: TableVersion) -> tuple[object, ...]:
    run = one.run_id[:8] or ("" if one.mark == key else one.mark)
    return one.version, f"{one.at:%Y-%m-%d %H:%M:%S}", one.operation, run, one.rows


if __name__ == "__main__":
    sys.exit(main())
