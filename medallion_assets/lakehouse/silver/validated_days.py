"""The validated rows of a run, kept in memory while they are merged, and what is known of its days by then."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from pyspark.sql import DataFrame

from medallion_assets.contracts.bronze import BronzeTable
from medallion_assets.contracts.column_identity import column_key
from medallion_assets.errors import MedallionError
from medallion_assets.lakehouse.control.file_ledger import LANDED_FILES, FoldedEntry
from medallion_assets.lakehouse.silver.day_metrics import SilverDayMetrics, count_validated
from medallion_assets.lakehouse.silver.ledgers import paths_of
from medallion_assets.lakehouse.silver.plan import Merge
from medallion_assets.lakehouse.silver.run import MergeMode, SilverRun
from medallion_assets.lakehouse.silver.standardize import business_columns
from medallion_assets.lakehouse.silver.validation import validated_rows
from medallion_assets.lakehouse.spark.small_work import gathered, is_few, planned_for
from medallion_assets.lakehouse.storage import transaction_log


class MissingRows(MedallionError):
    """Bronze has no row of files of which its ledger tells rows. Nothing was written."""


@dataclass(frozen=True)
class ValidatedDays:
    """The rows of a run, and what validation tells of its days.

    rows: the rows of the run's files, validated and persisted
    few: they are little work, as `small_work` says
    days: the planned days as far as validation tells: until they are merged, every valid row counts as current
    newest: the latest time (or number) of change, as text; None where no change has one
    new_columns: columns that neither contract nor table has; with_values: day -> those with a value in a valid row
    """

    rows: DataFrame
    few: bool
    days: Mapping[str, SilverDayMetrics]
    newest: str | None
    new_columns: Collection[str]
    with_values: Mapping[str, Collection[str]]

    def empty_columns(self, days: Collection[str]) -> list[str]:
        """The new columns that the valid rows of these days give no value: they stay out of the table."""
        filled = {name for day in days for name in self.with_values.get(day, ())}
        return [name for name in self.new_columns if name not in filled]


@contextmanager
def validated_days(run: SilverRun) -> Iterator[ValidatedDays]:
    """Reads and validates the run's files; the rows are kept in memory until the block ends."""
    few = _are_few(run)
    with planned_for(run.lake.spark, few):
        rows = gathered(validated_rows(run.lake, run.table, run.files), few).persist()
        try:
            new = _new_columns(run, rows)
            found, newest, with_values = count_validated(run.table, rows, run.landed, new)
            _refuse_missing(run, found)
            kept = {
                day: run.folded[day] if plan.merge is Merge.ADDED else {} for day, plan in run.plans.items()
            }
            days = {
                day: SilverDayMetrics(day, {**kept[day], **found[day]}, run.landed[day]) for day in run.plans
            }
            yield ValidatedDays(rows, few, days, newest, new, with_values)
        finally:
            rows.unpersist()


def _are_few(run: SilverRun) -> bool:
    """By the run's files and by what their rows are compared with."""
    files = [run.landed[day][path] for day, paths in run.files.items() for path in paths]
    compared = [run.table.key, *((source.key for source in run.table.inputs) if run.restated else ())]
    size = sum(sum(transaction_log.partition_bytes(run.lake.root, key).values()) for key in compared)
    return is_few(len(files), rows=sum(file.rows for file in files), size=size)


def _new_columns(run: SilverRun, rows: DataFrame) -> list[str]:
    """The landed columns that neither the contract nor the stored table has; a rebuild forgets the stored one."""
    known = set(map(column_key, run.table.types))
    landed = [name for name in business_columns(rows) if column_key(name) not in known]
    if landed and run.mode is MergeMode.UPDATE:
        known |= set(map(column_key, transaction_log.column_names(run.lake.root, run.table.key)))
    return [name for name in landed if column_key(name) not in known]


def _refuse_missing(run: SilverRun, found: Mapping[str, Mapping[str, FoldedEntry]]) -> None:
    missing = sorted(p for day, paths in run.files.items() for p in paths - found.get(day, {}).keys())
    if missing:
        faults = (
            _missing(source, paths) for source in run.table.inputs if (paths := paths_of(source, missing))
        )
        raise MissingRows("; ".join(faults))


def _missing(bronze: BronzeTable, paths: Sequence[str]) -> str:
    mend = (
        "materialize their days again, from bronze on"
        if bronze.landing_folder
        else f"run the job reset_watermark for {bronze.key}, then materialize today"
    )
    return f"{bronze.key} has no rows of {', '.join(paths[:20])}, which are in {LANDED_FILES.key}: {mend}"
