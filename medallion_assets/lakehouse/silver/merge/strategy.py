"""The two ways to keep a keyed table: the latest change of each key (SCD1), or its versions (SCD2)."""

from collections.abc import Callable
from typing import Protocol

from pyspark.sql import DataFrame

from medallion_assets.contracts.table import WritePolicy
from medallion_assets.lakehouse.silver.merge import scd1, scd2
from medallion_assets.lakehouse.silver.merge.stage import Staged
from medallion_assets.lakehouse.silver.run import SilverRun

StoredChanges = Callable[[], DataFrame]


class MergeStrategy(Protocol):
    """Three ways lead to the same rows. Each stages, and `publish` writes.

    new_changes: the valid rows that the run validated. Needs: what `validate` adds
    stored_changes: reads the valid rows of all other merged files from bronze; asked only if it must be
    """

    def merge_new(self, run: SilverRun, new_changes: DataFrame, stored_changes: StoredChanges) -> Staged:
        """Merges added rows into the stored ones."""
        ...

    def remerge_keys(self, run: SilverRun, new_changes: DataFrame, stored_changes: StoredChanges) -> Staged:
        """Merges whole keys again from all their changes, for days whose files or contract changed."""
        ...

    def rebuild(self, run: SilverRun, new_changes: DataFrame, stored_changes: StoredChanges) -> Staged:
        """Merges into an empty table; `new_changes` are all that count."""
        ...


def strategy_for(write: WritePolicy) -> MergeStrategy:
    """By the policy of a table with keys."""
    return scd2 if write.keeps_versions else scd1
