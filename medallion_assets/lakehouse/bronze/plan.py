"""What to ingest of a day: a pure decision on files. Nothing here reads or writes."""

from collections.abc import Mapping
from dataclasses import dataclass

from medallion_assets.contracts.file_identity import Identity


@dataclass(frozen=True)
class DayChange:
    """How a day's folder differs from the files that bronze has ingested of it.

    read: files to read
    replaced: files whose rows in bronze must go
    whole: all rows of the day must go
    """

    read: frozenset[str]
    replaced: frozenset[str]
    whole: bool


def day_change(
    listed_files: Mapping[str, Identity], ingested_files: Mapping[str, Identity], has_rows: bool
) -> DayChange:
    """What to read and what to replace, by the identities (path -> size and time) of both sides.

    has_rows: bronze has rows of the day. If it has and the ledger knows no file of it (the ledger was lost), the whole
    day is read again.
    """
    if has_rows and not ingested_files:
        return DayChange(frozenset(listed_files), frozenset(), whole=True)
    changed = {path for path, identity in listed_files.items() if ingested_files.get(path) != identity}
    gone = ingested_files.keys() - listed_files.keys()
    return DayChange(frozenset(changed), frozenset(ingested_files.keys() & changed | gone), whole=False)
