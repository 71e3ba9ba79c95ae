"""`control/expiries`: up to which time the tombstones and quarantined rows of a table were purged.

Written before the rows are removed: after a crash in between too much is asked of bronze, never too little.
"""

from dataclasses import dataclass, field
from datetime import datetime

from medallion_assets.lakehouse.control.small_table import SmallTable, having, now


@dataclass(frozen=True)
class PurgeHorizon:
    """What is older than `horizon` was purged from the table."""

    table_name: str
    horizon: datetime
    recorded_at: datetime = field(default_factory=now)


EXPIRIES = SmallTable("control/expiries", PurgeHorizon)


def last_horizon(root: str, table: str) -> datetime | None:
    """None where nothing was ever purged."""
    rows = EXPIRIES.read(root, having(table_name=table))
    return rows[0].horizon if rows else None


def record_horizon(root: str, table: str, horizon: datetime) -> None:
    """Replaces the table's horizon; the caller sees to it that it never moves back."""
    EXPIRIES.replace(root, [PurgeHorizon(table, horizon)], table_name=table)
