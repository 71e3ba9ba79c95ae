"""For how long files that a table no longer needs are kept: until no reader of an older version can ask for them."""

from collections.abc import Collection
from datetime import datetime, timedelta

from deltalake import DeltaTable

from medallion_assets.lakehouse.control import gold_refreshes
from medallion_assets.lakehouse.maintenance.time_travel import commit_times
from medallion_assets.lakehouse.storage.lake import table_path

FLOOR = timedelta(days=7)
"""What Delta keeps by default: no reader, and no writer whose files are not committed yet, takes as long."""
SLACK = timedelta(hours=1)
"""A file counts as removed a little before its commit, by the writer's clock."""


def retention(now: datetime, undone: Collection[datetime]) -> timedelta:
    """`undone`: when versions that are still read were replaced. Files that were removed then or later are kept."""
    return max([FLOOR, *(now - moment + SLACK for moment in undone)])


def undone(root: str, key: str) -> dict[str, datetime]:
    """Gold table -> when the version of this table that it was last computed of was replaced, if it was.

    Gold reads it again: to reconcile what it wrote, and to tell which members of a dimension changed since.
    """
    read = _versions_read(root, key)
    times = commit_times(root, key) if read else {}
    found: dict[str, datetime] = {}
    for gold, version in read.items():
        if later := [at for number, at in times.items() if number > version]:
            found[gold] = min(later)
    return found


def _versions_read(root: str, key: str) -> dict[str, int]:
    """Under whatever contract gold was computed; a table whose folder is gone reads nothing any more."""
    read = {row.table_name: row.inputs.get(key) for row in gold_refreshes.all_refreshes(root)}
    return {
        gold: version
        for gold, version in read.items()
        if version is not None and DeltaTable.is_deltatable(table_path(root, gold))
    }
