"""How long old files of a table are kept: until no reader needs an older version. `vacuum.py` removes them."""

from collections.abc import Collection
from datetime import datetime, timedelta

from medallion_assets.lakehouse.control import gold_refreshes
from medallion_assets.lakehouse.maintenance.time_travel import commit_times
from medallion_assets.lakehouse.storage.lake import table_path
from medallion_assets.lakehouse.storage.open_table import table_exists

FLOOR = timedelta(days=7)
"""Delta's default: no reader, and no writer before its commit, takes as long."""
SLACK = timedelta(hours=1)
"""By the writer's clock, a file is removed a little before the commit that removes it."""


def retention(now: datetime, replaced: Collection[datetime]) -> timedelta:
    """How long removed files must be kept.

    replaced: when the versions that are still read were replaced; files removed then or later are kept
    """
    return max([FLOOR, *(now - moment + SLACK for moment in replaced)])


def replaced_at(root: str, key: str) -> dict[str, datetime]:
    """Gold table -> when the version of this table that it was last computed of was replaced, if it was.

    Gold reads that version again, to reconcile what it wrote and to find the members of a dimension that changed since.
    """
    read = _versions_read(root, key)
    times = commit_times(root, key) if read else {}
    found: dict[str, datetime] = {}
    for gold, version in read.items():
        if later := [at for number, at in times.items() if number > version]:
            found[gold] = min(later)
    return found


def _versions_read(root: str, key: str) -> dict[str, int]:
    """Gold table -> the version of this table that it reads, whatever its contract was; only gold tables that exist."""
    read = {row.table_name: row.inputs.get(key) for row in gold_refreshes.all_refreshes(root)}
    return {
        gold: version
        for gold, version in read.items()
        if version is not None and table_exists(table_path(root, gold))
    }
