"""The runs that wait or go on, and what they are about to write."""

import dagster as dg

from medallion_assets.contracts.days import TableDay

OPEN = [
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


class OpenRuns:
    """The runs that wait or go on: what they are about to write need not be asked for."""

    def __init__(self, instance: dg.DagsterInstance):
        self.runs = instance.get_runs(dg.RunsFilter(statuses=OPEN))

    def write(self, table: str) -> bool:
        return any(_writes(run, table) for run in self.runs)

    def covers(self, at: TableDay) -> bool:
        """Whether one of them takes the table's day."""
        table, day = at
        return any(_writes(run, table) and _takes(run, day) for run in self.runs)


def _writes(run: dg.DagsterRun, table: str) -> bool:
    """A run without a selection may write any table."""
    chosen = run.asset_selection
    return chosen is None or table in {key.to_user_string() for key in chosen}


def _takes(run: dg.DagsterRun, day: str) -> bool:
    """A run without days may take any."""
    one = run.tags.get("dagster/partition", "")
    first = one or run.tags.get("dagster/asset_partition_range_start", "0")
    return first <= day <= (one or run.tags.get("dagster/asset_partition_range_end", "9"))
