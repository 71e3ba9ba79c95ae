"""Validation, quarantine and merge: rows become typed and current, and every landed row is accounted for.

What a day's totals or a star schema are belongs to `gold`; which files there are belongs to `bronze` and `landing`.
"""

from medallion_assets.lakehouse.silver.audit import audit_days, files_not_in_bronze, stale_days
from medallion_assets.lakehouse.silver.full_refresh import rebuild
from medallion_assets.lakehouse.silver.purge import purge_expired
from medallion_assets.lakehouse.silver.recovery import refresh_days

__all__ = ["audit_days", "files_not_in_bronze", "purge_expired", "rebuild", "refresh_days", "stale_days"]
