"""The check `on_time` of a table whose contract says when a day is due: its last due day is there.

It has no day, so that the table's front page shows it. A run that writes the table evaluates it, and so does the sensor
`alerts` when the answer changes: a table is late exactly where nothing runs.
"""

from collections.abc import Collection, Mapping

import dagster as dg

from medallion_assets.contracts.table import Table
from medallion_assets.lakehouse.control.small_table import now
from medallion_assets.lakehouse.monitoring.freshness import late_tables
from medallion_assets.orchestration.assets import partition_events
from medallion_assets.orchestration.assets.specs import key_of, step_name
from medallion_assets.orchestration.resources import LakehouseResource

ON_TIME = "on_time"


def on_time_key(table: Table) -> dg.AssetCheckKey:
    return dg.AssetCheckKey(key_of(table), ON_TIME)


def build_on_time(table: Table) -> dg.AssetChecksDefinition:
    spec = dg.AssetCheckSpec(
        ON_TIME, asset=key_of(table), description=f"The last day is there {table.due} after its end (UTC)."
    )

    @dg.multi_asset_check(name=f"{step_name(table.key)}_{ON_TIME}", specs=[spec])
    def on_time(lakehouse: LakehouseResource) -> dg.AssetCheckResult:
        late = late_tables(lakehouse.lake_root, [table], now()).get(table.key, "")
        return dg.AssetCheckResult(
            passed=not late, severity=dg.AssetCheckSeverity.WARN, description=late or None
        )

    return on_time


def tell_on_time(instance: dg.DagsterInstance, tables: Collection[Table], late: Mapping[str, str]) -> None:
    """Stores the check of each table for which it has come to say something else. late: key -> what is late."""
    due = {on_time_key(table): table for table in tables if table.due is not None}
    passed = partition_events.last_verdicts(instance, list(due))
    for key, table in due.items():
        if passed.get(key) == (table.key not in late):
            continue
        evaluation = dg.AssetCheckEvaluation(
            asset_key=key.asset_key,
            check_name=key.name,
            passed=table.key not in late,
            severity=dg.AssetCheckSeverity.WARN,
            description=late.get(table.key),
        )
        partition_events.store_without_run(instance, evaluation)
