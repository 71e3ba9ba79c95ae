"""Whether what a control table remembers of a table still holds, by the logs of both and without reading data.

Each commit of ours bears a mark: the table's key; in a control table also the version that the table had then. What
somebody else changed since, a ledger that was lost, or one that is newer than its table, is seen by that. A lake that
was written before there were marks is trusted as far as its ledger has rows of the table.
"""

from collections.abc import Sequence
from typing import Any

from medallion_assets.lakehouse.control.small_table import SmallTable, having
from medallion_assets.lakehouse.storage.lake import MARK, table_path
from medallion_assets.lakehouse.storage.open_table import find_table

_CHANGES_NO_ROW = {
    "OPTIMIZE",
    "VACUUM START",
    "VACUUM END",
    "SET TBLPROPERTIES",
    "UNSET TBLPROPERTIES",
    "UPGRADE PROTOCOL",
    "ADD FEATURE",
    "ADD COLUMNS",
    "CHANGE COLUMN",
    "UPDATE FIELD METADATA",
    "UPDATE TABLE METADATA",
}
_UNMARKED, _CHANGED = -2, -3
"""Instead of a version: no commit of ours about the table; somebody else wrote to the ledger since ours."""


def what_is_wrong(root: str, ledger: SmallTable[Any], key: str) -> str:
    """Why the ledger's rows of the table are no more to be trusted; empty where they are."""
    table = find_table(table_path(root, key))
    recorded, now = _recorded(root, ledger, key), -1 if table is None else table.version()
    if recorded == _CHANGED:
        return f"{ledger.key} was changed by somebody else"
    if recorded == _UNMARKED:
        lost = now >= 0 and not ledger.read(root, having(table_name=key))
        return f"{ledger.key} has lost its rows of {key}" if lost else ""
    if now < recorded:
        return f"{key} is at version {now if now >= 0 else '(none)'}, and {ledger.key} tells of version {recorded}"
    newer = table.history(limit=now - recorded) if table is not None and now > recorded else []
    others = [commit for commit in newer if commit.get(MARK) != key and _changes_rows(commit)]
    return f"somebody else changed {key}: {others[-1]['operation']}" if others else ""


def _recorded(root: str, ledger: SmallTable[Any], key: str) -> int:
    """The version of the table when the ledger's rows of it were last written; -1 if there was no table yet."""
    table = find_table(table_path(root, ledger.key))
    if table is None:
        return _UNMARKED
    for limit in (10, 100):  # mostly the last commit about the table is near
        found = _newest(table.history(limit=limit), key)
        if found != _UNMARKED or table.version() < limit:
            return found
    return _newest(table.history(), key)


def _newest(commits: Sequence[dict[str, Any]], key: str) -> int:
    """Newest first. What came before the first mark of all was written by an older release of ours."""
    by_others = False
    for commit in commits:
        marked, at, version = commit.get(MARK, "").rpartition("@")
        if at and by_others:
            return _CHANGED
        if at and marked == key:
            return -1 if version == "None" else int(version)
        by_others |= not at and _changes_rows(commit)
    return _UNMARKED


def _changes_rows(commit: dict[str, Any]) -> bool:
    return commit["operation"] not in _CHANGES_NO_ROW
