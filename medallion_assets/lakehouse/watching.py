"""What is new at the sources, for sensors: listings, ledgers and a question each. No Spark, no data."""

import hashlib
import json
from collections.abc import Iterable

from medallion_assets.contracts.requests import At
from medallion_assets.contracts.table import FollowDelta, FollowTable, Land, Table
from medallion_assets.lakehouse.control import PENDING, LandedEntry, entries
from medallion_assets.lakehouse.landing import LandingError, list_days, list_files
from medallion_assets.lakehouse.sources import observe
from medallion_assets.lakehouse.sources.marks import SourceError
from medallion_assets.lakehouse.watermarks import last_success, watermarks

File = tuple[str, int, str]
"""Path, size and time of change."""


def landing_state(
    tables: Iterable[Table], landing: str, root: str
) -> tuple[dict[At, str], dict[At, str], list[str]]:
    """The state of each day as landed, and as bronze's ledger has it; and which sources cannot be listed."""
    landed: dict[At, str] = {}
    taken: dict[At, str] = {}
    notes: list[str] = []
    for table in tables:
        if not isinstance(table.write, Land):
            continue
        try:
            landed |= _landed(table.key, landing, table.write.source)
        except LandingError as error:
            notes.append(str(error))
        else:
            taken |= _taken(table.key, root)
    return landed, taken, notes


def _landed(table: str, landing: str, source: str) -> dict[At, str]:
    days: dict[str, list[File]] = {}
    for file in list_files(landing, source, list_days(landing, source)):
        days.setdefault(file.day, []).append((file.path, file.size, file.modified_at.isoformat()))
    return {(table, day): _state(files) for day, files in days.items()}


def _taken(table: str, root: str) -> dict[At, str]:
    days = {
        day: [(e.path, e.size, e.modified_at) for e in files.values() if e.status != PENDING]
        for day, files in entries(root, LandedEntry, table).items()
    }
    return {(table, day): _state(files) for day, files in days.items() if files}


def _state(files: Iterable[File]) -> str:
    return hashlib.sha256(json.dumps(sorted(files)).encode()).hexdigest()[:16]


def sources_with_news(tables: Iterable[Table], root: str) -> tuple[dict[str, str], list[str]]:
    """Table -> what its followed source says that bronze has not taken; and which sources cannot be asked."""
    followed = [
        (table.key, table.write) for table in tables if isinstance(table.write, FollowDelta | FollowTable)
    ]
    known = watermarks(root) if followed else {}
    news: dict[str, str] = {}
    notes: list[str] = []
    for key, source in followed:
        since = last_success(known.get(key, []))
        try:
            now = observe(source, since)
        except SourceError as error:
            notes.append(f"{key}: {error}")
        else:
            if now != since:
                news[key] = f"{since} {now}"
    return news, notes
