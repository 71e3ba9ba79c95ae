"""The star schema: facts, dimensions and measures; only the days that a change affects are computed again.

Which change of a key counts is decided in `silver`; when gold is asked for is decided in `orchestration/sensors`.
"""

from medallion_assets.lakehouse.gold.direct_etl import audit_extract_days, extract_days, rebuild_extract
from medallion_assets.lakehouse.gold.full_refresh import rebuild
from medallion_assets.lakehouse.gold.refresh import audit_days, outside_days, refresh_days

__all__ = [
    "audit_days",
    "audit_extract_days",
    "extract_days",
    "outside_days",
    "rebuild",
    "rebuild_extract",
    "refresh_days",
]
