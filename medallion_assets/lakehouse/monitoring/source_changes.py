"""What is new at the sources, for sensors: by listings, ledgers and one query a source. No Spark, no data.

Which runs that asks for is decided in `orchestration/sensors`.
"""

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress

from medallion_assets.contracts.days import TableDay
from medallion_assets.contracts.table import Table
from medallion_assets.lakehouse.control.file_ledger import (
    IN_PROGRESS,
    PENDING,
    FoldedEntry,
    LandedEntry,
    entries,
)
from medallion_assets.lakehouse.control.watermarks import last_success, watermarks
from medallion_assets.lakehouse.landing.area import LandingError
from medallion_assets.lakehouse.landing.listing import foreign_entries, list_days, list_files
from medallion_assets.lakehouse.sources import observe
from medallion_assets.lakehouse.sources.base import SourceError

File = tuple[str, int, str]
"""Path, size in bytes and time of change."""


def landing_state(
    tables: Collection[Table], landing: str, root: str
) -> tuple[dict[TableDay, str], dict[TableDay, str], list[str]]:
    """The state of each day of bronze as landed, and as processed; and which sources cannot be listed.

    The batches of a followed source count as landed. A file is processed when bronze has ingested it and every silver
    table of it has merged it: a step that ended in between leaves a difference.
    """
    landed: dict[TableDay, str] = {}
    processed: dict[TableDay, str] = {}
    notes: list[str] = []
    for table in (table for table in tables if table.layer == "bronze"):
        ingested = entries(root, LandedEntry, table.key)
        try:
            landed |= _landed(table, landing, ingested)
        except LandingError as error:
            notes.append(str(error))
        else:
            below = [other.key for other in tables if other.layer == "silver" and table.key in _inputs(other)]
            merged = [entries(root, FoldedEntry, key) for key in below]
            processed |= _processed(table.key, ingested, merged)
    return landed, processed, notes


def never_read(tables: Iterable[Table], landing: str) -> dict[str, str]:
    """Table -> what lies beside the day folders of its source, quoted, the first ten of it.

    Sources that cannot be listed are in the notes of `landing_state`.
    """
    found: dict[str, str] = {}
    for table in (table for table in tables if table.landing_folder):
        with suppress(LandingError):
            names = foreign_entries(landing, table.landing_folder)
            more = [f"and {len(names) - 10} more"] if len(names) > 10 else []
            if names:
                found[table.key] = ", ".join([*map(repr, names[:10]), *more])
    return found


def _inputs(table: Table) -> list[str]:
    return [source.key for source in table.upstream]


def _landed(
    table: Table, landing: str, ingested: Mapping[str, Mapping[str, LandedEntry]]
) -> dict[TableDay, str]:
    days: dict[str, list[File]] = {}
    if folder := table.landing_folder:
        for file in list_files(landing, folder, list_days(landing, folder)):
            days.setdefault(file.day, []).append((file.path, *file.identity))
    else:
        for batch in (batch for batches in ingested.values() for batch in batches.values()):
            days.setdefault(batch.day, []).append((batch.path, batch.size, batch.modified_at))
    return {(table.key, day): _state(files) for day, files in days.items()}


def _processed(
    table: str,
    ingested: Mapping[str, Mapping[str, LandedEntry]],
    merged: Collection[Mapping[str, Mapping[str, FoldedEntry]]],
) -> dict[TableDay, str]:
    days = {
        day: [
            (e.path, e.size, e.modified_at)
            for e in files.values()
            if all(_is_merged(e, ledger) for ledger in merged)
        ]
        for day, files in ingested.items()
    }
    return {(table, day): _state(files) for day, files in days.items() if files}


def _is_merged(entry: LandedEntry, merged: Mapping[str, Mapping[str, FoldedEntry]]) -> bool:
    """Whether silver has merged this state of the file; a file without rows has nothing to merge."""
    if not entry.has_rows:
        return entry.status != PENDING
    found = merged.get(entry.day, {}).get(entry.path)
    return found is not None and found.identity == entry.identity and found.fingerprint != IN_PROGRESS


def _state(files: Iterable[File]) -> str:
    return hashlib.sha256(json.dumps(sorted(files)).encode()).hexdigest()[:16]


def sources_with_news(tables: Iterable[Table], root: str) -> tuple[dict[str, str], list[str]]:
    """Table -> from which state to which its followed source went on since bronze last read it.

    Also returns which sources cannot be asked.
    """
    followed = [(table.key, table.write) for table in tables if table.write.follows_source]
    recorded = watermarks(root) if followed else {}
    news: dict[str, str] = {}
    notes: list[str] = []
    for key, source in followed:
        since = last_success(recorded.get(key, []))
        try:
            now = observe(source, since)
        except SourceError as error:
            notes.append(f"{key}: {error}")
        else:
            if now != since:
                news[key] = f"{since} {now}"
    return news, notes
