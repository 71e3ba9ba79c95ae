"""The report: one HTML page of the lake's days, for people who would rather look than read.

`days` says which days, `records` reads their control tables; `outcomes`, `held_back`, `series` and `by_category` are
what there is to show; `charts` and `page` draw it. No Spark, no Dagster, no network.
"""
