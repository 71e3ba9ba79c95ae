"""An ordinary run of silver, if its memory holds; else the table is merged again from all of bronze."""

import logging
from collections.abc import Collection

from medallion_assets.contracts.silver import SilverTable
from medallion_assets.lakehouse.control.file_ledger import FOLDED_FILES, LANDED_FILES
from medallion_assets.lakehouse.control.landed_again import heal_landed_files, write_landed_files
from medallion_assets.lakehouse.control.memory import what_is_wrong
from medallion_assets.lakehouse.silver import refresh
from medallion_assets.lakehouse.silver.day_metrics import SilverDayMetrics
from medallion_assets.lakehouse.silver.full_refresh import rebuild
from medallion_assets.lakehouse.silver.validated_days import MissingRows
from medallion_assets.lakehouse.storage.lake import Lake
from medallion_assets.lakehouse.storage.locks import one_writer

_log = logging.getLogger(__name__)


def refresh_days(
    lake: Lake, table: SilverTable, days: Collection[str], again: Collection[str] = ()
) -> dict[str, SilverDayMetrics]:
    """As `refresh.refresh_days`. Without a ledger nobody knows which stored rows no file has any more.

    BlockedDays where the table must be rebuilt and a blocking check holds a day back.
    """
    for source in table.inputs:
        if what_is_wrong(lake.root, LANDED_FILES, source.key):
            with one_writer(lake.root, source.key):
                heal_landed_files(lake, source)
    if wrong := what_is_wrong(lake.root, FOLDED_FILES, table.key):
        _log.warning(f"{wrong}: {table.key} is merged again from all of bronze.")
        found = rebuild(lake, table)
        return {day: found.get(day, SilverDayMetrics(day)) for day in days}
    try:
        return refresh.refresh_days(lake, table, days, again)
    except MissingRows as missing:
        for source in table.inputs:
            with one_writer(lake.root, source.key):
                write_landed_files(lake, source)
        if not all(source.write.lands_files for source in table.inputs):
            raise
        _log.warning(f"{missing}.")
        return refresh.refresh_days(lake, table, days, again)
