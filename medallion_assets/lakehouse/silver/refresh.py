"""A step of silver over one or many ingestion days: plan, validate, quarantine, fold, publish, record.

The order of the commits is intent, quarantine, silver, ledger, watermark: after a crash at any point the days that
were under way are restated by their next run, with the same result.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from medallion_assets.contracts.silver import SilverTable
from medallion_assets.contracts.technical_columns import PROVENANCE
from medallion_assets.contracts.watermark import SourceOffset, later
from medallion_assets.lakehouse.control import watermarks
from medallion_assets.lakehouse.control.file_ledger import (
    PENDING,
    FoldedEntry,
    LandedEntry,
    entries,
    identities,
    record,
)
from medallion_assets.lakehouse.control.purge_horizons import last_horizon
from medallion_assets.lakehouse.silver.checks import blocked_by
from medallion_assets.lakehouse.silver.day_metrics import (
    SilverDayMetrics,
    counted,
    started_entry,
    unchanged_files,
    validated_rows,
    with_rows,
)
from medallion_assets.lakehouse.silver.merge import scd1, scd2
from medallion_assets.lakehouse.silver.merge.commit import publish
from medallion_assets.lakehouse.silver.merge.stage import Staged
from medallion_assets.lakehouse.silver.plan import DayPlan, Fold, plan_day
from medallion_assets.lakehouse.silver.quarantine import quarantined_rows
from medallion_assets.lakehouse.silver.standardize import business_columns
from medallion_assets.lakehouse.spark.expressions import quoted
from medallion_assets.lakehouse.storage import transaction_log
from medallion_assets.lakehouse.storage.lake import Lake
from medallion_assets.lakehouse.storage.locks import one_writer
from medallion_assets.lakehouse.storage.predicates import days_predicate, files_predicate
from medallion_assets.lakehouse.storage.stored_contract import hold_to_contract


def refresh_days(
    lake: Lake, table: SilverTable, days: Collection[str], again: Collection[str] = ()
) -> dict[str, SilverDayMetrics]:
    """Brings silver up to date with the bronze rows of `days`; a blocked day is validated and not published.

    again: those of the days that are validated and folded again though nothing that the ledger knows has changed
    """
    with one_writer(lake.root, table.key):
        return Step(lake, table, days, again).run()


class Step:
    """One run of `refresh_days`."""

    def __init__(self, lake: Lake, table: SilverTable, days: Collection[str], again: Collection[str] = ()):
        self.lake, self.table = lake, table
        self.bronze = table.inputs[0]
        self.horizon = last_horizon(lake.root, table.key)
        self.landed = entries(lake.root, LandedEntry, self.bronze.key, days)
        self.folded = entries(lake.root, FoldedEntry, table.key, days)
        plans = {day: self._plan(day, day in again) for day in days}
        self.plans = {day: plan for day, plan in plans.items() if plan.fold is not Fold.NOTHING}

    def _plan(self, day: str, again: bool) -> DayPlan:
        if any(entry.status == PENDING for entry in self.landed[day].values()):
            return DayPlan(Fold.NOTHING, frozenset())  # bronze was interrupted: row_conservation says so
        fingerprints = {entry.fingerprint for entry in self.folded[day].values()}
        landed, folded = identities(with_rows(self.landed[day])), identities(self.folded[day])
        plan = plan_day(landed, folded, fingerprints, self.table.fingerprint)
        is_whole = plan.fold is Fold.INCREMENTAL and not self.table.write.has_keys
        return DayPlan(Fold.RESTATE, frozenset(landed)) if is_whole or again else plan

    def run(self) -> dict[str, SilverDayMetrics]:
        known = {day: SilverDayMetrics(day, self.folded[day], self.landed[day]) for day in self.folded}
        if not self.plans:
            return known
        self._check_contract()
        validated = validated_rows(
            self.lake, self.table, {day: plan.files for day, plan in self.plans.items()}
        ).persist()
        try:
            days = self._judge(validated)
            self._record(self._in_progress())
            self._quarantine(validated, days)
            days = self._publish(validated, days)
        finally:
            validated.unpersist()
        blocked = {day for day, figures in days.items() if blocked_by(self.table, figures)}
        self._record(
            {day: self.folded[day] if day in blocked else figures.files for day, figures in days.items()}
        )
        self._note_watermark()
        return known | days

    def _check_contract(self) -> None:
        hold_to_contract(self.lake, self.table)

    def _in_progress(self) -> dict[str, dict[str, FoldedEntry]]:
        files = {
            day: {path: started_entry(self.table, self.landed[day][path]) for path in plan.files}
            for day, plan in self.plans.items()
        }
        return {day: self.folded[day] | listed for day, listed in files.items()}

    def _record(self, days: Mapping[str, Mapping[str, FoldedEntry]]) -> None:
        rows = [entry for files in days.values() for entry in files.values()]
        record(self.lake.root, FoldedEntry, self.table.key, days, rows)

    def _judge(self, validated: DataFrame) -> dict[str, SilverDayMetrics]:
        """The days as far as judging tells: until the fold says more, every valid row counts as current."""
        found, self.newest = counted(self.table, validated, self.landed)
        kept = {
            day: self.folded[day] if plan.fold is Fold.INCREMENTAL else {} for day, plan in self.plans.items()
        }
        return {day: SilverDayMetrics(day, kept[day] | found[day], self.landed[day]) for day in self.plans}

    def _quarantine(self, validated: DataFrame, days: Mapping[str, SilverDayMetrics]) -> None:
        """The broken rows of the step's files replace what quarantine holds of them."""
        key = f"quarantine/{self.table.name}"
        held = transaction_log.partition_bytes(self.lake.root, key)
        broken = any(
            days[day].files[path].quarantined for day, plan in self.plans.items() for path in plan.files
        )
        if not broken and not held.keys() & self.plans.keys():
            return
        whole = [day for day, plan in self.plans.items() if plan.fold is Fold.RESTATE or day not in held]
        single = {day: plan.files for day, plan in self.plans.items() if day not in whole}
        with one_writer(self.lake.root, key):
            self.lake.replace(
                quarantined_rows(self.table, validated),
                key,
                files_predicate(whole, single),
                "_ingestion_date",
            )

    def _publish(
        self, validated: DataFrame, days: Mapping[str, SilverDayMetrics]
    ) -> dict[str, SilverDayMetrics]:
        """Writes the days that no blocking check holds back; returns the days with the outcome of every row."""
        open_days = sorted(day for day, figures in days.items() if not blocked_by(self.table, figures))
        if not open_days:
            return dict(days)
        valid = validated.where(~F.col("_quarantined") & F.expr(days_predicate("_ingestion_date", open_days)))
        if not self.table.write.has_keys:
            self._replace_days(valid, open_days)
            return dict(days)
        staged = self._fold(valid, days, open_days)
        try:
            if staged.unique:
                self._apply(staged)
        finally:
            staged.rows.unpersist()
        return {
            day: _with_outcomes(figures, staged, self.plans[day].files) if day in open_days else figures
            for day, figures in days.items()
        }

    def _replace_days(self, valid: DataFrame, days: list[str]) -> None:
        predicate = days_predicate("_ingestion_date", days)
        self.lake.replace(keyless_rows(valid), self.table.key, predicate, "_ingestion_date")

    def _fold(self, valid: DataFrame, days: Mapping[str, SilverDayMetrics], open_days: list[str]) -> Staged:
        lake, table, horizon = self.lake, self.table, self.horizon
        restated = [day for day in open_days if self.plans[day].fold is Fold.RESTATE]
        if table.write.keeps_versions:
            if restated:
                return scd2.remerge_keys(lake, table, valid, self._others(open_days), horizon)
            return scd2.merge_new(lake, table, valid, lambda: self._others(open_days), horizon)
        if restated:
            return scd1.remerge_keys(lake, table, valid, self._others(open_days), restated, horizon)
        own = [days[day].files[path] for day in open_days for path in self.plans[day].files]
        rows = sum(e.rows - e.quarantined for e in own)
        return scd1.merge_new(lake, table, valid, rows, lambda: self._others(open_days), horizon)

    def _apply(self, staged: Staged) -> None:
        publish(self.lake, self.table, staged)

    def _others(self, open_days: list[str]) -> DataFrame:
        """The valid rows that count beside those that this step publishes."""
        return validated_rows(self.lake, self.table, self._other_files(open_days)).where(
            ~F.col("_quarantined")
        )

    def _other_files(self, open_days: list[str]) -> dict[str, set[str]]:
        """All folded and unchanged files but those that this step judges and publishes."""
        folded = entries(self.lake.root, FoldedEntry, self.table.key) | self.folded
        landed = entries(self.lake.root, LandedEntry, self.bronze.key)
        own = {(day, path) for day in open_days for path in self.plans[day].files}
        unchanged = unchanged_files(folded, landed)
        return {day: {path for path in files if (day, path) not in own} for day, files in unchanged.items()}

    def _note_watermark(self) -> None:
        """How far the changes of this table reach: told, not used. Silver's own memory is its ledger."""
        if self.newest is not None:
            before = watermarks.last_offset(self.lake.root, self.table.key)
            newest = later(before.value, self.newest) if before else self.newest
            rows = sum(self.landed[day][path].rows for day, plan in self.plans.items() for path in plan.files)
            watermarks.record(
                self.lake.root,
                self.table.key,
                watermarks.SUCCESS,
                SourceOffset(newest),
                rows,
                self.lake.run_id,
            )


def keyless_rows(valid: DataFrame) -> DataFrame:
    """The valid rows of a table without a key, as they are stored."""
    return valid.select(
        *[quoted(name) for name in business_columns(valid)],
        *PROVENANCE,
        F.current_timestamp().alias("_silver_processed_timestamp"),
        "_data_quality_score",
    )


def _with_outcomes(figures: SilverDayMetrics, staged: Staged, files: Collection[str]) -> SilverDayMetrics:
    none = {"current": 0, "superseded": 0, "deleted": 0}
    outcomes = {path: none | dict(staged.outcomes.get((figures.day, path), {})) for path in files}
    updated = {path: replace(figures.files[path], **counts) for path, counts in outcomes.items()}
    return replace(figures, files={**figures.files, **updated}, unique=staged.unique)
