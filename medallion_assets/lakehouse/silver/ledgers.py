"""What the ledgers say of a file: whether it has rows, whether silver merged it as it is now in bronze."""

from collections.abc import Collection, Mapping
from dataclasses import replace

from medallion_assets.contracts.bronze import BronzeTable
from medallion_assets.contracts.silver import SilverTable
from medallion_assets.errors import MedallionError
from medallion_assets.lakehouse.control.file_ledger import (
    IN_PROGRESS,
    FoldedEntry,
    LandedEntry,
    entries,
)

Files = Mapping[str, Collection[str]]
"""Ingestion day -> paths."""


class SameBatches(MedallionError):
    """Batches of two inputs have one name, so that silver cannot tell them apart. Nothing was written."""


def landed_entries(
    root: str, table: SilverTable, days: Collection[str] | None = None
) -> dict[str, dict[str, LandedEntry]]:
    """What bronze's ledger says of all inputs, of the given days (None: of all): day -> path -> entry. SameBatches."""
    found: dict[str, dict[str, LandedEntry]] = {}
    for source in table.inputs:
        for day, files in entries(root, LandedEntry, source.key, days).items():
            known = found.setdefault(day, {})
            if same := sorted(files.keys() & known.keys()):
                raise SameBatches(
                    f"{table.key} cannot tell {', '.join(same[:20])} of {source.key} from those of another input: "
                    f"they were read by an older version. Follow the source of {source.key} anew, by a bronze table of "
                    "another name"
                )
            known.update(files)
    return found


def paths_of(source: BronzeTable, paths: Collection[str]) -> list[str]:
    """Those of the files and batches of a silver table that may be of this input."""
    starts = (f"{source.landing_folder}/",) if source.landing_folder else (f"{source.name}/", "batch-")
    return [path for path in paths if path.startswith(starts)]


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
