"""The one daily calendar of all assets: UTC days from the first day, today included."""

import os

import dagster as dg

# The one setting that is read at import: a partitions definition cannot wait for a resource.
CALENDAR = dg.DailyPartitionsDefinition(os.environ.get("MEDALLION_FIRST_DAY", "2017-01-01"), end_offset=1)
