"""`control/expiries`: up to which time the tombstones and quarantined rows of a table were purged.

Written before the rows are removed: after a crash in between too much is asked of bronze, never too little.
"""

from dataclasses import dataclass, field
from datetime import datetime, timezone

from medallion_assets.contracts.silver import SilverTable
from medallion_assets.lakehouse.control.small_table import SmallTable, having, now
from medallion_assets.lakehouse.storage.lake import MARK, table_path
from medallion_assets.lakehouse.storage.open_table import open_table, table_exists


@dataclass(frozen=True)
class PurgeHorizon:
    """What is older than `horizon` was purged from the table."""

    table_name: str
    horizon: datetime
    recorded_at: datetime = field(default_factory=now)


EXPIRIES = SmallTable("control/expiries", PurgeHorizon)


def last_horizon(root: str, table: SilverTable) -> datetime | None:
    """None where nothing was ever purged. Where the row was lost, the time of the last purge, which is later."""
    rows = EXPIRIES.read(root, having(table_name=table.key))
    if rows or table.purge_after is None or not table_exists(path := table_path(root, table.key)):
        return rows[0].horizon if rows else None
    commits = open_table(path).history()
    purges = [c["timestamp"] for c in commits if c["operation"] == "DELETE" and c.get(MARK) == table.key]
    return datetime.fromtimestamp(max(purges) / 1000, timezone.utc) if purges else None


def record_horizon(root: str, table: str, horizon: datetime) -> None:
    """Replaces the table's horizon; the caller sees to it that it never moves back."""
    EXPIRIES.replace(root, [PurgeHorizon(table, horizon)], table_name=table)
