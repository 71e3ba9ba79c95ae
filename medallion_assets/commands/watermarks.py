"""Prints how far each table follows its source: the last success, and what the last run said. Starts no Spark."""

import sys

from medallion_assets.commands.job_runner import table
from medallion_assets.lakehouse.control.watermarks import last_success, watermarks
from medallion_assets.orchestration.resources import LakehouseResource


def main() -> int:
    root = LakehouseResource().lake_root
    known = watermarks(root)
    if not known:
        print(f"No watermark in {root}: nothing was folded or followed yet.")
        return 0
    rows = []
    for name, history in sorted(known.items()):
        offset, last = last_success(history), history[-1]
        value = offset.value if offset else "none: the next run reads the source whole"
        rows.append(
            (name, value, last.status, last.rows, f"{last.updated_at:%Y-%m-%d %H:%M:%S}", last.run_id[:8])
        )
    print(table(("table", "watermark", "last run", "rows", "at (UTC)", "run"), rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
