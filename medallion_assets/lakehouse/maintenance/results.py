"""What maintenance did to a table. How a run is reported belongs to `orchestration/jobs`."""

from dataclasses import dataclass


@dataclass(frozen=True)
class MaintenanceResult:
    """What maintenance did to one table; false where it did nothing.

    expired: how many tombstones and quarantined rows were purged, by the contract's `purge_after`
    compacted, bytes_before: the files that compaction replaced; made, bytes_after: those that it wrote
    removed, bytes_removed: files that no kept version needs, and files that killed writers left
    waits_for: the gold table that still reads a version whose files would be removed; so none were removed
    error: why the table was not maintained, in one line
    """

    key: str
    expired: int = 0
    compacted: int = 0
    made: int = 0
    bytes_before: int = 0
    bytes_after: int = 0
    removed: int = 0
    bytes_removed: int = 0
    waits_for: str = ""
    error: str = ""

    def __bool__(self) -> bool:
        return any((self.expired, self.compacted, self.removed, self.waits_for, self.error))

    def __str__(self) -> str:
        if self.error:
            return f"{self.key}: {self.error}"
        if self.expired:
            return f"{self.key}: {self.expired} tombstones and quarantined rows expired"
        waits = f"; older files wait until {self.waits_for} is materialized" if self.waits_for else ""
        return (
            f"{self.key}: {self.compacted} files ({self.bytes_before:,} bytes) compacted to {self.made} "
            f"({self.bytes_after:,} bytes), {self.removed} removed ({self.bytes_removed:,} bytes){waits}"
        )
