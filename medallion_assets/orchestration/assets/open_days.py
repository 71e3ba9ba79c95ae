"""The check `open_days` of a silver table: which days are not published, and which hold rows in quarantine.

It has no day, so that the table's front page shows it, and a step of its own after the table's: where a day of the run
was refused, that step fails the run, while the good days go on to gold.
"""

from collections.abc import Collection, Generator, Mapping
from dataclasses import dataclass
from typing import Any

import dagster as dg

from medallion_assets.contracts.silver import SilverTable
from medallion_assets.lakehouse.silver.quarantine import (
    days_in_quarantine,
    quarantined_examples,
    telling_columns,
)
from medallion_assets.lakehouse.storage.sample_rows import row_lines
from medallion_assets.orchestration.assets import partition_events
from medallion_assets.orchestration.assets.checks import blocking_checks
from medallion_assets.orchestration.assets.specs import key_of, step_name
from medallion_assets.orchestration.failures import RejectedPartitions, RetrySettings, handled
from medallion_assets.orchestration.partitions import CALENDAR
from medallion_assets.orchestration.resources import LakehouseResource

OPEN_DAYS = "open_days"
SHOWN = 20
"""Days in the check's metadata."""


def open_days_step(key: str) -> str:
    """The name of the check's step, by the table's key."""
    return f"{step_name(key)}_{OPEN_DAYS}"


def open_days_key(table: SilverTable) -> dg.AssetCheckKey:
    return dg.AssetCheckKey(key_of(table), OPEN_DAYS)


def build_open_days(table: SilverTable) -> dg.AssetChecksDefinition:
    spec = dg.AssetCheckSpec(
        OPEN_DAYS,
        asset=key_of(table),
        description="All days are published, and none holds rows in quarantine.",
    )

    @dg.multi_asset_check(name=open_days_step(table.key), specs=[spec])
    def open_days(
        context: dg.AssetCheckExecutionContext, lakehouse: LakehouseResource, retries: RetrySettings
    ) -> Generator[dg.AssetCheckResult]:
        execution, root = context.op_execution_context, lakehouse.lake_root
        days = _days_of_run(execution)
        with handled(execution, root, retries, table.key, days=days):
            found = find_open_days(execution.instance, root, table)
            yield found.as_result()
            refused = {day: why for day, why in found.refused.items() if day in days}
            if refused and _writes(execution, table):
                raise RejectedPartitions(refused)

    return open_days


@dataclass(frozen=True)
class OpenDays:
    """The days that somebody should look at.

    refused: day -> why it was not published; rows: some that the newest refused day holds in quarantine
    quarantined: day -> rows of published days in quarantine
    """

    refused: dict[str, str]
    quarantined: dict[str, int]
    rows: dict[str, str]

    def as_result(self) -> dg.AssetCheckResult:
        return dg.AssetCheckResult(passed=self._passed, severity=self._severity, metadata=self._metadata)

    def as_evaluation(self, table: SilverTable) -> dg.AssetCheckEvaluation:
        """Of a stream, which has no run."""
        return dg.AssetCheckEvaluation(
            asset_key=key_of(table),
            check_name=OPEN_DAYS,
            passed=self._passed,
            severity=self._severity,
            metadata=self._metadata,
        )

    @property
    def _passed(self) -> bool:
        return not self.refused and not self.quarantined

    @property
    def _severity(self) -> dg.AssetCheckSeverity:
        return dg.AssetCheckSeverity.ERROR if self.refused else dg.AssetCheckSeverity.WARN

    @property
    def _metadata(self) -> Mapping[str, Any]:
        return {
            "refused": len(self.refused),
            "with_quarantined_rows": len(self.quarantined),
            **{day: self.refused[day] for day in sorted(self.refused)[-SHOWN:]},
            **{
                day: f"{self.quarantined[day]} rows in quarantine"
                for day in sorted(self.quarantined)[-SHOWN:]
            },
            **{f"{max(self.refused)} {row}": text for row, text in self.rows.items()},
        }


def find_open_days(instance: dg.DagsterInstance, root: str, table: SilverTable) -> OpenDays:
    """By what the last runs of each day said, and by silver's ledger. No Spark."""
    refused = partition_events.rejected_days(instance, blocking_checks([table]), None)
    told = partition_events.last_reasons(instance, key_of(table), refused)
    quarantined = days_in_quarantine(root, table)
    examples = quarantined_examples(root, table, max(refused)) if refused else []
    return OpenDays(
        {day: told.get(day, check) for day, check in refused.items()},
        {day: rows for day, rows in quarantined.items() if day not in refused},
        row_lines(examples, telling_columns(table, examples)),
    )


def _days_of_run(context: dg.OpExecutionContext) -> Collection[str]:
    if context.has_partition_key:
        return [context.partition_key]
    if not context.has_partition_key_range:
        return ()
    return CALENDAR.get_partition_keys_in_range(context.partition_key_range)


def _writes(context: dg.OpExecutionContext, table: SilverTable) -> bool:
    """Whether the run materializes the table, and does not only check it."""
    return key_of(table) in context.job_def.asset_layer.selected_asset_keys
