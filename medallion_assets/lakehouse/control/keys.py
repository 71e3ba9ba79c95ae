"""The keys of the control tables."""

from medallion_assets.lakehouse.control import (
    file_ledger,
    gold_refreshes,
    purge_horizons,
    run_log,
    watermarks,
)

LEDGERS = (
    file_ledger.LANDED_FILES.key,
    file_ledger.FOLDED_FILES.key,
    purge_horizons.EXPIRIES.key,
    gold_refreshes.REFRESHES.key,
    watermarks.WATERMARKS.key,
    *(log.key for log in run_log.RUN_LOG),
)
"""All but `control/streams`, which is no record of work."""
