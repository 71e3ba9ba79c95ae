"""All control tables, for who looks at them by name."""

from typing import Any

from medallion_assets.lakehouse.control.file_ledger import FOLDED_FILES, LANDED_FILES
from medallion_assets.lakehouse.control.gold_refreshes import REFRESHES
from medallion_assets.lakehouse.control.purge_horizons import EXPIRIES
from medallion_assets.lakehouse.control.run_log import RUN_LOG
from medallion_assets.lakehouse.control.small_table import SmallTable
from medallion_assets.lakehouse.control.streams import STREAMS
from medallion_assets.lakehouse.control.watermarks import WATERMARKS

LEDGERS: tuple[SmallTable[Any], ...] = (
    *RUN_LOG,
    LANDED_FILES,
    FOLDED_FILES,
    REFRESHES,
    EXPIRIES,
    WATERMARKS,
)
"""The records of work; the others hold what is now."""
CONTROL_TABLES = (*LEDGERS, STREAMS)
