"""Prints what the contracts, as they are now, will change in the lake: before anything is run, without Spark.

`--format markdown` prints it as a comment for a pull request.
"""

import argparse
import sys
from collections.abc import Sequence

from medallion_assets.commands.text_table import markdown, table
from medallion_assets.contracts.declaration import DeclarationError
from medallion_assets.lakehouse.monitoring.contract_plan import Need, TablePlan, plan, seconds_in_all
from medallion_assets.lakehouse.monitoring.stored_tables import stored_tables
from medallion_assets.orchestration.resources import LakehouseResource
from medallion_assets.tables import find_tables

COLUMNS = ("table", "needs", "stale days", "rows", "seconds", "computed again below")


def main() -> int:
    parser = argparse.ArgumentParser(description="What changed contracts will do.")
    parser.add_argument("--format", choices=("text", "markdown"), default="text", help="of what is printed")
    as_text = markdown if parser.parse_args().format == "markdown" else table
    try:
        root, tables = LakehouseResource().lake_root, find_tables().values()
    except DeclarationError as faults:
        sys.exit(str(faults))
    if not stored_tables(root, tables):
        print(f"There is no table in {root} yet: nothing would change.")
        return 0
    found = plan(root, tables)
    if not found:
        print(f"Nothing would change: what is stored in {root} follows the contracts.")
        return 0
    print(as_text(COLUMNS, [_row(one) for one in found]))
    print("", *_remarks(found), _summary(found, seconds_in_all(root, found, tables)), sep="\n")
    return 0


def _row(one: TablePlan) -> tuple[object, ...]:
    key = one.table.key
    needs = {
        Need.REPLAY: f"make replay TABLE={one.table.name}",
        Need.FULL_REFRESH: f"the job full_refresh for {key}",
        Need.MATERIALIZE: f"materialize {key}",
    }
    return key, needs[one.need], _days(one.days), one.rows, one.seconds, ", ".join(one.below)


def _days(days: Sequence[str]) -> str:
    if not days:
        return "the whole table"
    return days[0] if len(days) == 1 else f"{len(days)}, {days[0]} to {days[-1]}"


def _remarks(found: Sequence[TablePlan]) -> list[str]:
    """Why a table must be rebuilt. Each is a paragraph of Markdown, too."""
    lines = [f"{one.table.key} must be rebuilt: {'; '.join(one.differs)}." for one in found if one.differs]
    return [text for line in lines for text in (line, "")]


def _summary(found: Sequence[TablePlan], seconds: float) -> str:
    below = {key for one in found for key in one.below} - {one.table.key for one in found}
    words = f"{len(found)} changed {'table' if len(found) == 1 else 'tables'}, {len(below)} more below"
    return (
        f"{words}; their last runs took {seconds:.1f} seconds."
        if seconds
        else f"{words}; no run is recorded."
    )


if __name__ == "__main__":
    sys.exit(main())
