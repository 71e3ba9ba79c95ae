"""The runs that are queued or running, and what they are about to write."""

import dagster as dg

from medallion_assets.contracts.days import TableDay
from medallion_assets.orchestration.pools import is_dead

OPEN = [
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


class OpenRuns:
    """The open runs of the instance: what they are about to write need not be requested.

    Not those whose process is gone, which nobody may have noted yet.
    """

    def __init__(self, instance: dg.DagsterInstance):
        runs = instance.get_runs(dg.RunsFilter(statuses=OPEN))
        self.runs = [run for run in runs if not is_dead(run.tags)]

    def write(self, table: str) -> bool:
        return any(_writes(run, table) for run in self.runs)

    def cover(self, at: TableDay) -> bool:
        """Whether one of them is about to write the day of the table."""
        table, day = at
        return any(_writes(run, table) and _covers(run, day) for run in self.runs)


def _writes(run: dg.DagsterRun, table: str) -> bool:
    """A run without a selection may write any table."""
    selection = run.asset_selection
    return selection is None or table in {key.to_user_string() for key in selection}


def _covers(run: dg.DagsterRun, day: str) -> bool:
    """A run without days may write any."""
    one = run.tags.get("dagster/partition", "")
    first = one or run.tags.get("dagster/asset_partition_range_start", "0")
    return first <= day <= (one or run.tags.get("dagster/asset_partition_range_end", "9"))
