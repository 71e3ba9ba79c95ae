"""The version of a table that somebody asks for: by its number, or by a time. `rollback.py` restores it."""

from collections.abc import Mapping
from datetime import datetime, timedelta, timezone

from medallion_assets.contracts.days import as_moment
from medallion_assets.contracts.table import Table
from medallion_assets.errors import MedallionError
from medallion_assets.lakehouse.storage import transaction_log
from medallion_assets.lakehouse.storage.lake import table_path
from medallion_assets.lakehouse.storage.open_table import open_table

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


class RollbackError(MedallionError):
    """The version that was asked for cannot be restored. The table was not changed. The message says what can be."""


def find(root: str, tables: Mapping[str, Table], key: str) -> Table:
    """The table of that key. RollbackError, which names the tables to choose from, where it is not in the lake."""
    if key not in tables or transaction_log.version(root, key) is None:
        existing = ", ".join(other for other in tables if transaction_log.version(root, other) is not None)
        raise RollbackError(
            f"There is no table {key!r} in the lake. Name one of: {existing or 'it has none yet'}"
        )
    return tables[key]


def version_asked(root: str, key: str, version: str, as_of: str) -> int:
    """`version`, or the last version committed at or before the time `as_of` (UTC without a zone). RollbackError."""
    if bool(version) == bool(as_of):
        raise RollbackError("Give either VERSION, such as 3, or AS_OF, such as 2026-01-05T10:00 (UTC)")
    if version:
        if not version.isdecimal():
            raise RollbackError(f"{version!r} is no version: give a whole number, such as 3")
        check_version(key, int(version), commit_times(root, key))
        return int(version)
    try:
        moment = as_moment(as_of)
    except ValueError:
        raise RollbackError(f"{as_of!r} is no time: give one such as 2026-01-05T10:00 (UTC)") from None
    times = commit_times(root, key)
    found = [number for number, at in times.items() if at <= moment]
    if not found:
        first = min(times)
        raise RollbackError(
            f"{key} has no version as old as {moment}: its first version, {first}, is of {times[first]}"
        )
    return max(found)


def check_version(key: str, version: int, times: Mapping[int, datetime]) -> None:
    """times: of `commit_times`. RollbackError where the table has no such version."""
    if version not in times:
        raise RollbackError(
            f"{key} has no version {version}: there are {min(times)} to {max(times)}; choose one of these"
        )


def commit_times(root: str, key: str) -> dict[int, datetime]:
    """Version -> when it was committed (UTC), of the versions that are still in the log, oldest first."""
    commits = open_table(table_path(root, key)).history()
    return {
        commit["version"]: _EPOCH + timedelta(milliseconds=commit["timestamp"])
        for commit in reversed(commits)
    }
