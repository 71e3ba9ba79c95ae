"""What the two ledgers say of a file: whether it has rows, whether silver merged it as it is now in bronze."""

from collections.abc import Collection, Mapping
from dataclasses import replace

from medallion_assets.contracts.silver import SilverTable
from medallion_assets.lakehouse.control.file_ledger import IN_PROGRESS, FoldedEntry, LandedEntry

Files = Mapping[str, Collection[str]]
"""Ingestion day -> paths."""


def started_entry(table: SilverTable, landed: LandedEntry) -> FoldedEntry:
    """The entry of a file whose merge is under way: no fingerprint of a contract, no rows."""
    return FoldedEntry(
        table_name=table.key,
        day=landed.day,
        path=landed.path,
        size=landed.size,
        modified_at=landed.modified_at,
        fingerprint=IN_PROGRESS,
        rows=0,
        current=0,
        superseded=0,
        deleted=0,
        quarantined=0,
        score_sum=0.0,
    )


def in_progress(files: Mapping[str, FoldedEntry]) -> dict[str, FoldedEntry]:
    return {path: replace(entry, fingerprint=IN_PROGRESS) for path, entry in files.items()}


def with_rows(files: Mapping[str, LandedEntry]) -> dict[str, LandedEntry]:
    return {path: entry for path, entry in files.items() if entry.has_rows}


def unchanged_files(
    folded: Mapping[str, Mapping[str, FoldedEntry]], landed: Mapping[str, Mapping[str, LandedEntry]]
) -> dict[str, set[str]]:
    """The merged files that are in bronze as they were merged: day -> paths."""
    return {
        day: {path for path, entry in files.items() if _is_unchanged(entry, landed.get(day, {}).get(path))}
        for day, files in folded.items()
    }


def _is_unchanged(folded: FoldedEntry, landed: LandedEntry | None) -> bool:
    return landed is not None and folded.identity == landed.identity and folded.fingerprint != IN_PROGRESS
