"""Dagster events of one day, from a step over many days.

Dagster stores a plain AssetCheckResult of a run over a range without its day, and logs a MaterializeResult for every
day of the range. Events of single days need Dagster's internal names, which are used here and in `event_log` alone:
`test_assets.py` fails if a new version of Dagster changes them.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import dagster as dg
from dagster._core.definitions.asset_checks.asset_check_evaluation import (
    AssetCheckEvaluationTargetMaterializationData,
)
from dagster._core.definitions.source_asset import SYSTEM_METADATA_KEY_SOURCE_ASSET_OBSERVATION
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus
from dagster._core.storage.event_log.schema import AssetCheckExecutionsTable, SqlEventLogStorageTable
from dagster._core.storage.event_log.sql_event_log import SqlEventLogStorage

from medallion_assets.contracts.checks import Check, Verdict


def evaluation(
    key: dg.AssetKey,
    day: str,
    check: Check[Any],
    verdict: Verdict,
    target: AssetCheckEvaluationTargetMaterializationData | None,
    more: Mapping[str, Any],
) -> dg.AssetCheckEvaluation:
    """Never blocking for Dagster: that would end the step for the good days, too. See `rejected_days`."""
    return dg.AssetCheckEvaluation(
        asset_key=key,
        check_name=check.name,
        partition=day,
        passed=verdict.passed,
        severity=dg.AssetCheckSeverity(check.severity),
        metadata={**verdict.metadata, **more},
        blocking=False,
        target_materialization_data=target,
    )


def last_materializations(
    instance: dg.DagsterInstance, key: dg.AssetKey, days: Collection[str]
) -> dict[str, AssetCheckEvaluationTargetMaterializationData]:
    """Day -> the one that check results of the day refer to; none of days that were never materialized."""
    if not days:  # which Dagster would take for all days
        return {}
    kind, log = dg.DagsterEventType.ASSET_MATERIALIZATION, instance.event_log_storage
    last = log.get_latest_storage_id_by_partition(key, kind, set(days))
    if not last:  # as it would take no ids for all records
        return {}
    found = instance.fetch_materializations(
        dg.AssetRecordsFilter(key, storage_ids=list(last.values())), limit=len(days)
    )
    return {
        str(record.partition_key): AssetCheckEvaluationTargetMaterializationData(
            storage_id=record.storage_id, run_id=record.run_id, timestamp=record.timestamp
        )
        for record in found.records
    }


def store_without_run(
    instance: dg.DagsterInstance,
    event: dg.AssetMaterialization | dg.AssetObservation | dg.AssetCheckEvaluation,
) -> None:
    """Of the verdicts on a check's day that belong to no run Dagster keeps one, and refuses others: the last counts."""
    log = instance.event_log_storage
    if isinstance(event, dg.AssetCheckEvaluation) and isinstance(log, SqlEventLogStorage):
        kept = AssetCheckExecutionsTable.c
        with log.index_connection() as connection:
            connection.execute(
                AssetCheckExecutionsTable.delete().where(
                    kept.asset_key == event.asset_key.to_string(),
                    kept.check_name == event.check_name,
                    kept.partition == event.partition,
                    kept.run_id == "",
                )
            )
    instance.report_runless_asset_event(event)


def last_verdicts(
    instance: dg.DagsterInstance, checks: Sequence[dg.AssetCheckKey]
) -> dict[dg.AssetCheckKey, bool]:
    """Whether each check passed when it was last evaluated, where it was."""
    found = instance.event_log_storage.get_latest_asset_check_execution_by_key(checks)
    succeeded = AssetCheckExecutionRecordStatus.SUCCEEDED
    return {key: record.status is succeeded for key, record in found.items() if record}


def rejected_days(
    instance: dg.DagsterInstance, checks: Collection[dg.AssetCheckKey], days: Collection[str] | None
) -> dict[str, str]:
    """Day -> one of these checks that failed when it was last evaluated for that day. days: None for all."""
    rejected: dict[str, str] = {}
    asked = None if days is None else list(days)
    for key in checks:  # one query a check, however many days
        infos = instance.event_log_storage.get_asset_check_partition_info([key], partition_keys=asked)
        for info in infos:
            if info.partition_key and info.latest_execution_status.value == "FAILED":
                rejected.setdefault(info.partition_key, f"{key.asset_key.to_user_string()} {key.name}")
    return rejected


def last_reasons(instance: dg.DagsterInstance, key: dg.AssetKey, days: Collection[str]) -> dict[str, str]:
    """Day -> what the last observation says of it, where it was observed."""
    if not days:  # which Dagster would take for all days
        return {}
    asked = dg.AssetRecordsFilter(key, asset_partitions=list(days))
    found = instance.fetch_observations(asked, limit=2 * len(days)).records  # the newest first
    return {
        str(record.partition_key): record.asset_observation.description or ""
        for record in reversed(found)
        if record.asset_observation
    }


def ever_failed(instance: dg.DagsterInstance, key: dg.AssetKey, days: Collection[str]) -> set[str]:
    """Those of the days for which a check of the asset failed at some time."""
    log, kept = instance.event_log_storage, AssetCheckExecutionsTable.c
    if not days or not isinstance(log, SqlEventLogStorage):
        return set(days)
    failed = (
        AssetCheckExecutionsTable.select()
        .with_only_columns(kept.partition)
        .where(
            kept.asset_key == key.to_string(),
            kept.execution_status == AssetCheckExecutionRecordStatus.FAILED.value,
            kept.partition.in_(list(days)),
        )
    )
    with log.index_connection() as connection:
        return {str(partition) for partition in connection.execute(failed).scalars()}


def withdraw(
    instance: dg.DagsterInstance,
    run_id: str,
    key: dg.AssetKey,
    idle: Collection[str],
    checked: Collection[str],
) -> None:
    """What a run planned of an asset and did not do, since there was nothing to do.

    idle: days that were to be materialized; checked: days of which some checks had nothing to say. Dagster shows both
    as failed where the run fails for another day.
    """
    log = instance.event_log_storage
    if not isinstance(log, SqlEventLogStorage):
        return
    events, checks = SqlEventLogStorageTable.c, AssetCheckExecutionsTable.c
    planned = dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED.value
    with log.index_connection() as connection:
        connection.execute(
            SqlEventLogStorageTable.delete().where(
                events.run_id == run_id,
                events.asset_key == key.to_string(),
                events.dagster_event_type == planned,
                events.partition.in_(list(idle)),
            )
        )
        connection.execute(
            AssetCheckExecutionsTable.delete().where(
                checks.run_id == run_id,
                checks.asset_key == key.to_string(),
                checks.execution_status == AssetCheckExecutionRecordStatus.PLANNED.value,
                checks.partition.in_(list(checked)),
            )
        )


def closing_outputs(
    specs: Collection[dg.AssetCheckSpec], key: dg.AssetKey | None
) -> Iterator[dg.Output[None]]:
    """The outputs that Dagster expects at the end of the step; none of them logs another materialization."""
    for spec in specs:
        yield dg.Output(None, output_name=spec.get_python_identifier())
    if key:
        silent: Mapping[str, Any] = {SYSTEM_METADATA_KEY_SOURCE_ASSET_OBSERVATION: True}
        yield dg.Output(None, output_name=key.to_python_identifier(), metadata=silent)
