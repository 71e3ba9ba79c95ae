"""Table maintenance: compaction, removal of old files, retention, and rollback to an older version.

No row is computed here. What is wrong or late is found by `monitoring`.
"""

from medallion_assets.lakehouse.maintenance.optimize import maintain

__all__ = ["maintain"]
