"""The one daily calendar of all assets: UTC days from the first day, today included."""

import dagster as dg

from medallion_assets.orchestration.settings import FIRST_DAY

CALENDAR = dg.DailyPartitionsDefinition(FIRST_DAY, end_offset=1)
