"""Silver from nothing: all of bronze judged and folded into a table with the contract's types, in one step."""

from collections.abc import Mapping

from pyspark.sql import DataFrame

from medallion_assets.contracts.table import History, Table
from medallion_assets.lakehouse import changes, history
from medallion_assets.lakehouse.control import FoldedEntry, LandedEntry, entries
from medallion_assets.lakehouse.figures import FoldedDay
from medallion_assets.lakehouse.publishing import Staged, rewrite
from medallion_assets.lakehouse.silver import Step, keyless_rows, quarantined_rows
from medallion_assets.lakehouse.storage import Lake, one_writer


class BlockedDays(Exception):
    """A rebuild would lose the rows of days that a blocking check holds back."""


def full_refresh(lake: Lake, table: Table) -> dict[str, FoldedDay]:
    """Rebuilds silver and its quarantine from all of bronze, with the contract's types. BlockedDays if one is red."""
    with one_writer(lake.root, table.key):
        return _Rebuild(lake, table).run()


class _Rebuild(Step):
    """One run of `full_refresh`: every landed day is restated, and what was there is forgotten."""

    def __init__(self, lake: Lake, table: Table):
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

    def _hold_to_types(self) -> None:
        pass

    def _under_way(self) -> dict[str, dict[str, FoldedEntry]]:
        """Only of days that the ledger does not know as they are: the others are folded again to what they were."""
        return {day: files for day, files in super()._under_way().items() if day in self.unknown}

    def _judge(self, judged: DataFrame) -> dict[str, FoldedDay]:
        days = super()._judge(judged)
        if blocked := sorted(day for day, figures in days.items() if figures.blocked_by(self.table)):
            raise BlockedDays(
                f"{self.table.key} is as it was: a rebuild would lose the rows of {', '.join(blocked)}, which a "
                "blocking check holds back. Mend their files or raise the contract's limit first"
            )
        return days

    def _quarantine(self, judged: DataFrame, days: Mapping[str, FoldedDay]) -> None:
        key = f"quarantine/{self.table.name}"
        if self.lake.exists(key) or any(figures.total("quarantined") for figures in days.values()):
            with one_writer(self.lake.root, key):
                rows = quarantined_rows(self.table, judged)
                self.lake.rewrite(rows, key, "_ingestion_date")

    def _replace_days(self, valid: DataFrame, days: list[str]) -> None:
        self.lake.rewrite(keyless_rows(valid), self.table.key, "_ingestion_date")

    def _fold(self, valid: DataFrame, days: Mapping[str, FoldedDay], open_days: list[str]) -> Staged:
        if isinstance(self.table.write, History):
            return history.fold_anew(self.table, valid, self.horizon)
        rows = sum(figures.total("rows") - figures.total("quarantined") for figures in days.values())
        return changes.fold_anew(self.table, valid, rows, self.horizon)

    def _apply(self, staged: Staged) -> None:
        rewrite(self.lake, self.table, staged)
