"""Keeps tables small and gives them back: compaction, vacuum, retention, rollback to an older version.

No row is computed here. What is wrong or late is told by `monitoring`.
"""

from medallion_assets.lakehouse.maintenance.optimize import maintain

__all__ = ["maintain"]
