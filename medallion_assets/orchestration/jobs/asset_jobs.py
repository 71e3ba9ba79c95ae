"""Jobs over the daily assets: a day through all layers, and all checks of a day without writing anything."""

from collections.abc import Mapping

import dagster as dg

from medallion_assets.contracts.silver import SilverTable
from medallion_assets.contracts.table import Table
from medallion_assets.orchestration.assets.on_time import on_time_key
from medallion_assets.orchestration.assets.open_days import open_days_key
from medallion_assets.orchestration.assets.report import REPORT
from medallion_assets.orchestration.partitions import CALENDAR

# Dagster ignores `partitions_def` for a job of checks alone and takes the calendar from its config.
_BY_DAY = dg.PartitionedConfig(CALENDAR, run_config_for_partition_key_fn=lambda day: {})

landing_to_gold = dg.define_asset_job(  # pyright: ignore[reportUnknownMemberType]
    "landing_to_gold",
    dg.AssetSelection.all() - dg.AssetSelection.assets(REPORT),
    description="A day, or a range of days, through all layers in one run.",
)


def build_all_checks(tables: Mapping[str, Table]):
    """The checks of days; not those that tell of the whole table."""
    of_tables = [open_days_key(table) for table in tables.values() if isinstance(table, SilverTable)]
    of_tables += [on_time_key(table) for table in tables.values() if table.due is not None]
    return dg.define_asset_job(  # pyright: ignore[reportUnknownMemberType]
        "all_checks",
        dg.AssetSelection.all_asset_checks() - dg.AssetSelection.checks(*of_tables),
        config=_BY_DAY,
        description="All checks of a day, or a range of days, on the stored tables; nothing is written.",
    )
