"""Silver from nothing: all of bronze validated and folded into a table with the contract's types, in one step."""

from collections.abc import Mapping

from pyspark.sql import DataFrame

from medallion_assets.contracts.silver import SilverTable
from medallion_assets.errors import MedallionError
from medallion_assets.lakehouse.control.file_ledger import FoldedEntry, LandedEntry, entries
from medallion_assets.lakehouse.silver.checks import blocked_by
from medallion_assets.lakehouse.silver.day_metrics import SilverDayMetrics
from medallion_assets.lakehouse.silver.merge import scd1, scd2
from medallion_assets.lakehouse.silver.merge.commit import rewrite
from medallion_assets.lakehouse.silver.merge.stage import Staged
from medallion_assets.lakehouse.silver.quarantine import quarantined_rows
from medallion_assets.lakehouse.silver.refresh import Step, keyless_rows
from medallion_assets.lakehouse.storage.lake import Lake
from medallion_assets.lakehouse.storage.locks import one_writer


class BlockedDays(MedallionError):
    """A rebuild would lose the rows of days that a blocking check holds back."""


def rebuild(lake: Lake, table: SilverTable) -> dict[str, SilverDayMetrics]:
    """Rebuilds silver and its quarantine from all of bronze, with the contract's types. BlockedDays if a day is."""
    with one_writer(lake.root, table.key):
        return _Rebuild(lake, table).run()


class _Rebuild(Step):
    """One run of `rebuild`: every landed day is restated, and what was there is forgotten."""

    def __init__(self, lake: Lake, table: SilverTable):
        known = entries(lake.root, FoldedEntry, table.key) | entries(
            lake.root, LandedEntry, table.inputs[0].key
        )
        super().__init__(lake, table, sorted(known))
        self.unknown = set(self.plans)
        super().__init__(lake, table, sorted(known), again=known)
        if interrupted := sorted(known.keys() - self.plans.keys()):
            days = ", ".join(interrupted)
            raise BlockedDays(
                f"{table.key} is as it was: bronze was interrupted on {days}; materialize it first"
            )
        self.folded = {day: {} for day in known}

    def _check_contract(self) -> None:
        pass

    def _in_progress(self) -> dict[str, dict[str, FoldedEntry]]:
        """Only of days that the ledger does not know as they are: the others are folded again to what they were."""
        return {day: files for day, files in super()._in_progress().items() if day in self.unknown}

    def _judge(self, validated: DataFrame) -> dict[str, SilverDayMetrics]:
        days = super()._judge(validated)
        if blocked := sorted(day for day, figures in days.items() if blocked_by(self.table, figures)):
            raise BlockedDays(
                f"{self.table.key} is as it was: a rebuild would lose the rows of {', '.join(blocked)}, which a "
                "blocking check holds back. Mend their files or raise the contract's limit first"
            )
        return days

    def _quarantine(self, validated: DataFrame, days: Mapping[str, SilverDayMetrics]) -> None:
        key = f"quarantine/{self.table.name}"
        if self.lake.exists(key) or any(figures.total("quarantined") for figures in days.values()):
            with one_writer(self.lake.root, key):
                rows = quarantined_rows(self.table, validated)
                self.lake.rewrite(rows, key, "_ingestion_date")

    def _replace_days(self, valid: DataFrame, days: list[str]) -> None:
        self.lake.rewrite(keyless_rows(valid), self.table.key, "_ingestion_date")

    def _fold(self, valid: DataFrame, days: Mapping[str, SilverDayMetrics], open_days: list[str]) -> Staged:
        if self.table.write.keeps_versions:
            return scd2.rebuild(self.table, valid, self.horizon)
        rows = sum(figures.total("rows") - figures.total("quarantined") for figures in days.values())
        return scd1.rebuild(self.table, valid, rows, self.horizon)

    def _apply(self, staged: Staged) -> None:
        rewrite(self.lake, self.table, staged)
