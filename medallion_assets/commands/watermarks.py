"""Prints how far each table has read its source: the last watermark, and the status of the last run. No Spark."""

import sys

from medallion_assets.commands.text_table import table
from medallion_assets.lakehouse.control.watermarks import last_success, watermarks
from medallion_assets.orchestration.resources import LakehouseResource


def main() -> int:
    root = LakehouseResource().lake_root
    found = watermarks(root)
    if not found:
        print(f"No watermark in {root}: no run has read a source or updated silver yet.")
        return 0
    rows = []
    for name, history in sorted(found.items()):
        offset, last = last_success(history), history[-1]
        value = offset.value if offset else "none: the next run reads the whole source"
        rows.append(
            (name, value, last.status, last.rows, f"{last.updated_at:%Y-%m-%d %H:%M:%S}", last.run_id[:8])
        )
    print(table(("table", "watermark", "last run", "rows", "at (UTC)", "run"), rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
