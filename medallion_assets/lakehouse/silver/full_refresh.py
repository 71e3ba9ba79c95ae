"""Silver from nothing: all of bronze validated and merged into a table with the contract's types, in one run."""

from collections.abc import Mapping
from dataclasses import replace

from medallion_assets.contracts.silver import SilverTable
from medallion_assets.errors import MedallionError
from medallion_assets.lakehouse.silver.checks import blocked_by
from medallion_assets.lakehouse.silver.day_metrics import SilverDayMetrics
from medallion_assets.lakehouse.silver.refresh import record_started, write_days
from medallion_assets.lakehouse.silver.run import MergeMode, SilverRun, read_ledgers, with_plans
from medallion_assets.lakehouse.silver.validated_days import validated_days
from medallion_assets.lakehouse.storage.lake import Lake
from medallion_assets.lakehouse.storage.locks import one_writer


class BlockedDays(MedallionError):
    """A rebuild would lose the rows of days that a blocking check holds back. Nothing was written."""


def rebuild(lake: Lake, table: SilverTable) -> dict[str, SilverDayMetrics]:
    """Rebuilds silver and its quarantine from all of bronze, with the contract's types. BlockedDays if a day is."""
    with one_writer(lake.root, table.key):
        known = read_ledgers(lake, table)
        changed = with_plans(known).plans
        run = replace(with_plans(known, again=known.landed), mode=MergeMode.REBUILD)
        _refuse_interrupted(run)
        if not run.plans:
            return {}
        with validated_days(run) as found:
            _refuse_blocked(table, found.days)
            # The ledger knows the other days as they are, and they will be merged to what they were.
            record_started(run, changed)
            return write_days(run, found)


def _refuse_interrupted(run: SilverRun) -> None:
    if interrupted := sorted(run.landed.keys() - run.plans.keys()):
        raise BlockedDays(
            f"{run.table.key} is as it was: bronze was interrupted on {', '.join(interrupted)}; materialize it first"
        )


def _refuse_blocked(table: SilverTable, days: Mapping[str, SilverDayMetrics]) -> None:
    if blocked := sorted(day for day, metrics in days.items() if blocked_by(table, metrics)):
        raise BlockedDays(
            f"{table.key} is as it was: a rebuild would lose the rows of {', '.join(blocked)}, which a blocking check "
            "holds back. Mend their files or raise the contract's limit first"
        )
