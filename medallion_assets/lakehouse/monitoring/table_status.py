"""How each table stands: its last day with data, or a day that is asked for, and what came of it.

What came of a day is in the run ledger. Whether it still holds is told by the ledgers of that day and the Delta logs.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from medallion_assets.contracts.bronze import BronzeTable
from medallion_assets.contracts.days import utc_today
from medallion_assets.contracts.gold import GoldTable
from medallion_assets.contracts.silver import SilverTable
from medallion_assets.contracts.table import Table
from medallion_assets.lakehouse.control.file_ledger import (
    IN_PROGRESS,
    KEPT,
    PENDING,
    FoldedEntry,
    LandedEntry,
    entries,
)
from medallion_assets.lakehouse.control.run_log import (
    BLOCKED,
    FAILED,
    NO_DATA,
    SKIPPED,
    RunEntry,
    last_days,
    last_entries_of,
)
from medallion_assets.lakehouse.gold.staleness import staleness
from medallion_assets.lakehouse.landing.area import LandingError
from medallion_assets.lakehouse.landing.listing import list_days, list_files
from medallion_assets.lakehouse.silver.ledgers import landed_entries
from medallion_assets.lakehouse.silver.plan import Merge
from medallion_assets.lakehouse.silver.run import plan_of

WAITS, STALE = "waits", "stale"
"""There is something that no run has taken yet; what is stored follows an older contract or older inputs."""
NO_RUN = "no run"


@dataclass(frozen=True)
class TableStatus:
    """One table's day.

    day: empty where there is none yet
    outcome: that of the last run (OK, NO_DATA, BLOCKED, SKIPPED, FAILED), or waits, stale, no run
    last_run: when the last run of the day ended; seconds: the day's share of it
    """

    key: str
    day: str
    outcome: str
    rows: int | None = None
    quarantined: int | None = None
    last_run: datetime | None = None
    seconds: float | None = None


def status_of(root: str, landing: str, tables: Collection[Table], day: str = "") -> list[TableStatus]:
    """One a table, in their order; of a day, or of each table's last day with data."""
    keys = [table.key for table in tables]
    ledger = last_entries_of(root, keys, day) if day else last_days(root, keys)
    return [_status(root, landing, table, day, ledger) for table in tables]


def _status(root: str, landing: str, table: Table, asked: str, ledger: Mapping[str, RunEntry]) -> TableStatus:
    day, known = asked or _last_day(table, landing, ledger), ledger.get(table.key)
    if known is None or known.day != day:
        outcome = _open_work(root, landing, table, asked, day) or (NO_DATA if known else NO_RUN)
        return TableStatus(table.key, day, outcome)
    held_back = known.status in (BLOCKED, SKIPPED, FAILED)
    outcome = known.status if held_back else _open_work(root, landing, table, asked, day) or known.status
    return TableStatus(
        table.key, day, outcome, known.rows_in, known.quarantined, known.timestamp, known.seconds
    )


def _last_day(table: Table, landing: str, ledger: Mapping[str, RunEntry]) -> str:
    """The last day that has data, or for which some is there to be taken."""
    days = [ledger[table.key].day] if table.key in ledger else []
    if isinstance(table, BronzeTable):
        days += _landed_days(landing, table)[-1:]
    if isinstance(table, SilverTable):
        inputs = [ledger[source.key] for source in table.inputs if source.key in ledger]
        days += [entry.day for entry in inputs if entry.status != NO_DATA]
    return max(days, default="")


def _landed_days(landing: str, table: BronzeTable) -> list[str]:
    """Up to today; none of a source that cannot be listed, or that is no folder."""
    try:
        days = list_days(landing, table.landing_folder) if table.landing_folder else []
    except LandingError:
        return []
    return [day for day in days if day <= utc_today()]


def _open_work(root: str, landing: str, table: Table, asked: str, day: str) -> str:
    """WAITS or STALE; empty where nothing is to be done for the day, or for any day of gold if none is asked for."""
    if isinstance(table, BronzeTable):
        return WAITS if day in _landed_days(landing, table) and _has_news(root, landing, table, day) else ""
    if isinstance(table, SilverTable):
        return _of_silver(root, table, day)
    assert isinstance(table, GoldTable)
    return STALE if not table.write.is_extract and _is_stale(root, table, asked) else ""


def _has_news(root: str, landing: str, table: BronzeTable, day: str) -> bool:
    """Whether the landed files are others than those in bronze."""
    known = entries(root, LandedEntry, table.key, [day])[day]
    kept = {path for path, entry in known.items() if entry.status == KEPT}
    taken = {path: entry.identity for path, entry in known.items() if entry.status != PENDING}
    listed = {file.path: file.identity for file in list_files(landing, table.landing_folder, [day])}
    return not {path for path, _ in listed.items() ^ taken.items()} <= kept


def _of_silver(root: str, table: SilverTable, day: str) -> str:
    landed = landed_entries(root, table, [day])[day]
    folded = entries(root, FoldedEntry, table.key, [day])[day]
    known = {entry.fingerprint for entry in folded.values()}
    if known - {table.fingerprint, IN_PROGRESS}:
        return STALE
    return WAITS if plan_of(table, landed, folded).merge is not Merge.NOTHING else ""


def _is_stale(root: str, table: GoldTable, asked: str) -> bool:
    """Whether an input is newer. Changed facts are those of some days, a changed dimension may be of any."""
    found = staleness(root, table)
    if found is None or not asked:
        return found is not None
    return not found.days or bool(found.dimensions) or asked in found.days
