"""What one run of silver works on, and the plan of its days. Frozen: the steps pass it on and return what they find."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum

from medallion_assets.contracts.silver import SilverTable
from medallion_assets.lakehouse.control.file_ledger import (
    IN_PROGRESS,
    PENDING,
    FoldedEntry,
    LandedEntry,
    entries,
    identities,
)
from medallion_assets.lakehouse.control.purge_horizons import last_horizon
from medallion_assets.lakehouse.silver.ledgers import landed_entries, with_rows
from medallion_assets.lakehouse.silver.plan import DayPlan, Merge, plan_day
from medallion_assets.lakehouse.storage.lake import Lake
from medallion_assets.lakehouse.storage.stored_contract import refuse_newer


class MergeMode(Enum):
    """What a run reads, and how it writes."""

    UPDATE = "update"
    """Reads the files that changed; merges them into the stored rows."""
    REBUILD = "rebuild"
    """Reads all of bronze; replaces the table and its quarantine, with the contract's types."""


@dataclass(frozen=True)
class SilverRun:
    """One run of silver over some days: what there was when it began, and what is to be done.

    landed, folded: the ledgers of bronze and of silver when the run began, day -> path -> entry
    plans: the days with something to do
    horizon: tombstones of an earlier time are purged; None where none ever was
    """

    lake: Lake
    table: SilverTable
    landed: Mapping[str, Mapping[str, LandedEntry]]
    folded: Mapping[str, Mapping[str, FoldedEntry]]
    plans: Mapping[str, DayPlan]
    horizon: datetime | None = None
    mode: MergeMode = MergeMode.UPDATE

    @property
    def files(self) -> dict[str, frozenset[str]]:
        """The files whose rows are validated: day -> paths."""
        return {day: plan.files for day, plan in self.plans.items()}

    @property
    def restated(self) -> list[str]:
        """Days of which the stored rows no longer hold, oldest first."""
        return sorted(day for day, plan in self.plans.items() if plan.merge is Merge.RESTATE)

    def only(self, days: Collection[str]) -> "SilverRun":
        """The same run over some of its days."""
        return replace(self, plans={day: self.plans[day] for day in days})


def read_ledgers(lake: Lake, table: SilverTable, days: Collection[str] | None = None) -> SilverRun:
    """A run over these days (None: over all that a ledger knows) without plans yet."""
    landed = landed_entries(lake.root, table, days)
    folded = entries(lake.root, FoldedEntry, table.key, days)
    known = sorted(landed.keys() | folded.keys())
    return SilverRun(
        lake,
        table,
        landed={day: landed.get(day, {}) for day in known},
        folded={day: folded.get(day, {}) for day in known},
        plans={},
        horizon=last_horizon(lake.root, table),
    )


def with_plans(run: SilverRun, again: Collection[str] = ()) -> SilverRun:
    """The run with a plan for each day that has something to do. NewerContract."""
    merged = (entry for files in run.folded.values() for entry in files.values())
    done = ((entry.fingerprint, entry.recorded_at) for entry in merged if entry.fingerprint != IN_PROGRESS)
    refuse_newer(run.lake, run.table, done)
    plans = {day: _plan(run, day, day in again) for day in run.landed}
    return replace(run, plans={day: plan for day, plan in plans.items() if plan.merge is not Merge.NOTHING})


def _plan(run: SilverRun, day: str, again: bool) -> DayPlan:
    landed = run.landed[day]
    if any(entry.status == PENDING for entry in landed.values()):
        return DayPlan(Merge.NOTHING, frozenset())  # bronze was interrupted: row_conservation says so
    plan = plan_of(run.table, landed, run.folded[day])
    is_whole = plan.merge is Merge.ADDED and not run.table.write.has_keys
    return DayPlan(Merge.RESTATE, frozenset(with_rows(landed))) if is_whole or again else plan


def plan_of(
    table: SilverTable, landed: Mapping[str, LandedEntry], folded: Mapping[str, FoldedEntry]
) -> DayPlan:
    """What is to be merged of a day, by what both ledgers say of it."""
    begun = {path for path, entry in folded.items() if entry.fingerprint == IN_PROGRESS}
    fingerprints = {entry.fingerprint for path, entry in folded.items() if path not in begun}
    return plan_day(identities(with_rows(landed)), identities(folded), fingerprints, table.fingerprint, begun)
