"""`control/refreshes`: of which versions of its inputs each gold table was last computed.

Written after the table is: a run that ends in between computes once more what is there already.
"""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from medallion_assets.contracts.table import Table
from medallion_assets.lakehouse.control.memory import what_is_wrong
from medallion_assets.lakehouse.control.small_table import SmallTable, having, now
from medallion_assets.lakehouse.storage.lake import table_path
from medallion_assets.lakehouse.storage.open_table import open_table, table_exists

Versions = Mapping[str, int | None]
"""Input -> its version; None where there is no such table."""


@dataclass(frozen=True)
class GoldRefresh:
    """The last success of a gold table: under which contract, of which versions of its inputs."""

    table_name: str
    fingerprint: str
    inputs: dict[str, int | None]
    recorded_at: datetime = field(default_factory=now)


REFRESHES = SmallTable("control/refreshes", GoldRefresh)
_log = logging.getLogger(__name__)


def last_refresh(root: str, table: Table) -> dict[str, int | None]:
    """The inputs' versions; empty where the table was not computed under this contract, or is not there."""
    if not table_exists(table_path(root, table.key)):
        return {}
    rows = REFRESHES.read(root, having(table_name=table.key))
    return next((row.inputs for row in rows if row.fingerprint == table.fingerprint), {})


def refresh_to_build_on(root: str, table: Table) -> dict[str, int | None]:
    """`last_refresh`, and empty where somebody else changed the table or this memory since: all is computed again."""
    wrong = what_is_wrong(root, REFRESHES, table.key)
    if wrong:
        _log.warning(f"{wrong}: all of {table.key} is computed again.")
    return {} if wrong else last_refresh(root, table)


def contracts_of(root: str, table: Table) -> Iterator[tuple[str, datetime]]:
    """The fingerprint of the contract that the table was last computed under, and when. Read where it is asked."""
    for row in REFRESHES.read(root, having(table_name=table.key)):
        yield row.fingerprint, row.recorded_at


def all_refreshes(root: str) -> list[GoldRefresh]:
    """Of every gold table, under whatever contract it was computed."""
    return REFRESHES.read(root)


def record_refresh(root: str, table: Table, inputs: Versions) -> None:
    row = GoldRefresh(table.key, table.fingerprint, dict(inputs))
    REFRESHES.replace(root, [row], table_name=table.key)


def revert_since(root: str, table: Table, since: datetime) -> int:
    """The table's row becomes what it was before `since`, or goes: the next run computes every day then."""
    if not REFRESHES.exists(root):
        return 0
    before, after = REFRESHES.update(root, lambda _: _row_before(root, table, since), table_name=table.key)
    return int(before != after)


def _row_before(root: str, table: Table, moment: datetime) -> list[GoldRefresh]:
    """The table's row of before a time; none where that is no more to be had."""
    kept = open_table(table_path(root, REFRESHES.key))
    versions = [c["version"] for c in kept.history() if c["timestamp"] < moment.timestamp() * 1000]
    try:
        kept.load_as_version(max(versions))
        return REFRESHES.rows_of(kept, having(table_name=table.key))
    except Exception:  # delta-rs raises several types for a version whose log or files were removed
        return []
