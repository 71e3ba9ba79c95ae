"""A run of silver over one or many ingestion days: plan, validate, quarantine, merge, record.

The order of the commits is intent, quarantine, silver, ledger, watermark: after a crash at any point what was in
progress, added files or whole days, is merged again by the next run, with the same result.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from functools import partial

from pyspark.sql import DataFrame

from medallion_assets.contracts.silver import SilverTable
from medallion_assets.contracts.watermark import SourceOffset, later
from medallion_assets.lakehouse.control import watermarks
from medallion_assets.lakehouse.control.file_ledger import (
    FoldedEntry,
    entries,
    record,
)
from medallion_assets.lakehouse.silver.checks import blocked_by
from medallion_assets.lakehouse.silver.day_metrics import SilverDayMetrics
from medallion_assets.lakehouse.silver.ledgers import (
    in_progress,
    landed_entries,
    started_entry,
    unchanged_files,
)
from medallion_assets.lakehouse.silver.merge.commit import publish, publish_keyless, publish_new_keys
from medallion_assets.lakehouse.silver.merge.new_keys import bring_only_new_keys
from medallion_assets.lakehouse.silver.merge.row_outcomes import NO_OUTCOMES
from medallion_assets.lakehouse.silver.merge.stage import Staged
from medallion_assets.lakehouse.silver.merge.strategy import strategy_for
from medallion_assets.lakehouse.silver.quarantine import write_quarantine
from medallion_assets.lakehouse.silver.run import MergeMode, SilverRun, read_ledgers, with_plans
from medallion_assets.lakehouse.silver.validated_days import ValidatedDays, validated_days
from medallion_assets.lakehouse.silver.validation import valid_rows, validated_rows
from medallion_assets.lakehouse.storage.lake import Lake
from medallion_assets.lakehouse.storage.locks import one_writer
from medallion_assets.lakehouse.storage.predicates import days_predicate
from medallion_assets.lakehouse.storage.stored_contract import check_stored_contract


def refresh_days(
    lake: Lake, table: SilverTable, days: Collection[str], again: Collection[str] = ()
) -> dict[str, SilverDayMetrics]:
    """Brings silver up to date with the bronze rows of `days`; a blocked day is validated and not published.

    again: those of the days that are restated though nothing that the ledger knows has changed
    IncompatibleContract, before any write, if the stored table was written by another contract.
    """
    with one_writer(lake.root, table.key):
        run = with_plans(read_ledgers(lake, table, days), again)
        if not run.plans:
            return known_metrics(run)
        check_stored_contract(lake, table)
        with validated_days(run) as found:
            record_started(run, run.plans)
            return write_days(run, found)


def known_metrics(run: SilverRun) -> dict[str, SilverDayMetrics]:
    """What the ledgers say of the days."""
    return {day: SilverDayMetrics(day, run.folded[day], run.landed[day]) for day in run.folded}


def write_days(run: SilverRun, found: ValidatedDays) -> dict[str, SilverDayMetrics]:
    """Quarantines, merges and records the validated days; returns all days with the outcome of every row."""
    write_quarantine(run, found.rows, found.days)
    days = {**found.days, **_merge_days(run, found)}
    _record_merged(run, days)
    _record_watermark(run, found.newest)
    return known_metrics(run) | days


def _merge_days(run: SilverRun, found: ValidatedDays) -> dict[str, SilverDayMetrics]:
    """Writes the days that no blocking check holds back; returns those whose metrics changed by it."""
    open_days = sorted(day for day, metrics in found.days.items() if not blocked_by(run.table, metrics))
    if not open_days:
        return {}
    run = run.only(open_days)
    in_open_days = days_predicate("_ingestion_date", open_days)
    valid = valid_rows(found.rows).where(in_open_days)
    if not run.table.write.has_keys:
        publish_keyless(run, valid, found.empty_columns(open_days))
        return {}
    if not found.few and bring_only_new_keys(run, valid):
        publish_new_keys(run, valid, found.empty_columns(open_days))
        return {}
    staged = _stage(run, valid)
    try:
        if staged.unique:
            publish(run, staged, found.empty_columns(open_days))
    finally:
        staged.rows.unpersist()
    return {day: _with_outcomes(found.days[day], staged, run.files[day]) for day in open_days}


def _stage(run: SilverRun, valid: DataFrame) -> Staged:
    strategy = strategy_for(run.table.write)
    if run.mode is MergeMode.REBUILD:
        merge = strategy.rebuild
    else:
        merge = strategy.remerge_keys if run.restated else strategy.merge_new
    return merge(run, valid, partial(_stored_changes, run))


def _stored_changes(run: SilverRun) -> DataFrame:
    """The valid rows of all merged and unchanged files but those that this run publishes."""
    folded = {**entries(run.lake.root, FoldedEntry, run.table.key), **run.folded}
    landed = landed_entries(run.lake.root, run.table)
    files = {
        day: paths - run.files.get(day, frozenset()) for day, paths in unchanged_files(folded, landed).items()
    }
    return valid_rows(validated_rows(run.lake, run.table, files))


def _with_outcomes(metrics: SilverDayMetrics, staged: Staged, files: Collection[str]) -> SilverDayMetrics:
    outcomes = {path: NO_OUTCOMES | dict(staged.outcomes.get((metrics.day, path), {})) for path in files}
    updated = {path: replace(metrics.files[path], **counts) for path, counts in outcomes.items()}
    return replace(metrics, files={**metrics.files, **updated}, unique=staged.unique)


def record_started(run: SilverRun, days: Collection[str]) -> None:
    """The intent to merge files of these days: after a crash they are merged again.

    Of a day that is restated that is every file, also one that has vanished: it may be back by then.
    """
    started = {
        day: {path: started_entry(run.table, run.landed[day][path]) for path in run.files[day]}
        for day in days
    }
    before = {day: in_progress(run.folded[day]) if day in run.restated else run.folded[day] for day in days}
    _record(run, {day: {**before[day], **files} for day, files in started.items()})


def _record_merged(run: SilverRun, days: Mapping[str, SilverDayMetrics]) -> None:
    """What became of each file; a blocked day stays as it was."""
    blocked = {day for day, metrics in days.items() if blocked_by(run.table, metrics)}
    _record(run, {day: run.folded[day] if day in blocked else metrics.files for day, metrics in days.items()})


def _record(run: SilverRun, days: Mapping[str, Mapping[str, FoldedEntry]]) -> None:
    rows = [entry for files in days.values() for entry in files.values()]
    record(run.lake.root, FoldedEntry, run.table.key, days, rows)


def _record_watermark(run: SilverRun, newest: str | None) -> None:
    """How far the changes of this table reach: shown, not used. Silver's own memory is its ledger."""
    if newest is None:
        return
    root, key = run.lake.root, run.table.key
    before = watermarks.last_offset(root, key)
    offset = SourceOffset(later(before.value, newest) if before else newest)
    rows = sum(run.landed[day][path].rows for day, files in run.files.items() for path in files)
    watermarks.record(root, key, watermarks.SUCCESS, offset, rows, run.lake.run_id)
