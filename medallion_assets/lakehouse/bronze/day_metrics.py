"""The metrics of a day of bronze, as its ledger has them. Whether they are good is decided by the checks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from medallion_assets.contracts.bronze import BronzeTable
from medallion_assets.contracts.column_identity import column_key
from medallion_assets.lakehouse.control.file_ledger import LandedEntry


@dataclass(frozen=True)
class BronzeDayMetrics:
    """What bronze has of one day, file by file. A day without files is NO_DATA.

    notes: path -> how a file was read that this run read in another than the usual way
    beside: what lies beside the day folders of the source; None where another day of the step tells it
    """

    day: str
    files: Mapping[str, LandedEntry] = field(default_factory=dict)
    notes: Mapping[str, str] = field(default_factory=dict)
    beside: Sequence[str] | None = None

    @property
    def has_data(self) -> bool:
        return bool(self.files)

    @property
    def rows(self) -> int:
        return sum(entry.rows for entry in self.files.values())

    @property
    def corrupt(self) -> int:
        return sum(entry.corrupt for entry in self.files.values())

    @property
    def complaints(self) -> dict[str, str]:
        """Path -> what is wrong with the file and how to fix it."""
        return {path: entry.message for path, entry in self.files.items() if entry.message}

    def drift(self, table: BronzeTable) -> tuple[list[str], list[str]]:
        """Columns that are new to the contract, and columns of the contract that no file of the day has."""
        landed = {column_key(column): column for entry in self.files.values() for column in entry.columns}
        declared = {column_key(name) for name in table.column_names}
        new = [column for key, column in landed.items() if key not in declared]
        missing = [name for name in table.required_columns if column_key(name) not in landed]
        return sorted(new), sorted(missing) if self.rows else []
