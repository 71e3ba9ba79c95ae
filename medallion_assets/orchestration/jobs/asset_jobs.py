"""Jobs over the daily assets: everything of a day, and all checks of a day without writing anything."""

import dagster as dg

from medallion_assets.orchestration.partitions import CALENDAR

# The calendar of a job of checks alone comes from its config: `partitions_def` is ignored there.
_BY_DAY = dg.PartitionedConfig(CALENDAR, run_config_for_partition_key_fn=lambda day: {})

landing_to_gold = dg.define_asset_job(
    "landing_to_gold",
    dg.AssetSelection.all(),
    description="A day, or a range of days, through all layers in one run.",
)
all_checks = dg.define_asset_job(
    "all_checks",
    dg.AssetSelection.all_asset_checks(),
    config=_BY_DAY,
    description="All checks of a day or a range of days, as of now; nothing is written.",
)
