"""Which Delta tables are in the lake: those of the repository, quarantines, control tables, and any other folder."""

from collections.abc import Iterable
from pathlib import Path

from medallion_assets.contracts.table import Table
from medallion_assets.lakehouse.control.catalog import CONTROL_TABLES
from medallion_assets.lakehouse.silver.quarantine import quarantine_key
from medallion_assets.lakehouse.storage.lake import table_path
from medallion_assets.lakehouse.storage.open_table import table_exists
from medallion_assets.lakehouse.storage.stores import is_url


def stored_tables(root: str, tables: Iterable[Table]) -> list[str]:
    """The keys `layer/name` of all Delta tables in the lake. An object store is asked for the known ones only."""
    if not is_url(root):
        logs = Path(root).glob("*/*/_delta_log")
        return sorted("/".join(log.parent.parts[-2:]) for log in logs)
    return [key for key in _known(tables) if table_exists(table_path(root, key))]


def _known(tables: Iterable[Table]) -> list[str]:
    keys = [table.key for table in tables]
    quarantines = [quarantine_key(key.partition("/")[2]) for key in keys if key.startswith("silver/")]
    return [*keys, *quarantines, *(table.key for table in CONTROL_TABLES)]
