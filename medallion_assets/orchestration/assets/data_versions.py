"""By what Dagster tells that a day is "Unsynced": the data version of its last event, and of those that it was made of.

Dagster writes these tags itself where an asset returns its result. Here a step tells single days by events of its own,
so that it also says what they were made of; without that Dagster would compare times, and a run that changes nothing
would leave all that is made of its table unsynced.
"""

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import dagster as dg
from dagster._core.definitions.data_version import (
    CODE_VERSION_TAG,
    DATA_VERSION_TAG,
    DEFAULT_DATA_VERSION,
    NULL_EVENT_POINTER,
    get_input_data_version_tag,
    get_input_event_pointer_tag,
)

from medallion_assets.contracts.table import Table
from medallion_assets.lakehouse.control.file_ledger import FoldedEntry, LandedEntry
from medallion_assets.orchestration.assets.specs import key_of

Tags = dict[str, str]


def digest(parts: Collection[object]) -> str:
    return hashlib.sha256(json.dumps(sorted(parts, key=str)).encode()).hexdigest()[:16]


def landed_version(files: Mapping[str, LandedEntry]) -> str:
    """Of a day of bronze: which files it has, as they were when they were read."""
    return digest([(path, *entry.identity, entry.rows) for path, entry in files.items()])


def merged_version(files: Mapping[str, FoldedEntry]) -> str:
    """Of a day of silver: which files were merged, as they were then, and under which contract."""
    return digest([(path, *entry.identity, entry.fingerprint) for path, entry in files.items()])


@dataclass(frozen=True)
class ReadInputs:
    """What a step read: of each input what its events said until `last`, the newest event when the step began."""

    instance: dg.DagsterInstance
    table: Table
    last: int | None

    def tags(self, versions: Mapping[str, str]) -> dict[str, Tags]:
        """Of each day, by its data version; one query an input, however many days."""
        inputs = [key_of(table) for table in self.table.upstream] if versions else []
        known = {key: self._versions(key, versions) for key in inputs}
        return {day: self._own(version) | self._made_of(known, day) for day, version in versions.items()}

    def _own(self, version: str) -> Tags:
        return {DATA_VERSION_TAG: version, CODE_VERSION_TAG: self.table.fingerprint}

    def _made_of(self, known: Mapping[dg.AssetKey, Mapping[str, str]], day: str) -> Tags:
        found: Tags = {}
        for key, versions in known.items():
            found[get_input_data_version_tag(key)] = versions.get(day, DEFAULT_DATA_VERSION.value)
            found[get_input_event_pointer_tag(key)] = str(self.last or NULL_EVENT_POINTER)
        return found

    def _versions(self, key: dg.AssetKey, days: Collection[str]) -> dict[str, str]:
        if self.last is None:
            return {}
        told = self.instance.event_log_storage.get_latest_tags_by_partition(
            key,
            dg.DagsterEventType.ASSET_MATERIALIZATION,
            [DATA_VERSION_TAG],
            asset_partitions=list(days),
            before_cursor=self.last + 1,
        )
        return {day: tags[DATA_VERSION_TAG] for day, tags in told.items()}


def inputs_now(instance: dg.DagsterInstance, table: Table) -> ReadInputs:
    """Before a step reads: an event that is stored later may tell what the step does not see."""
    return ReadInputs(instance, table, instance.event_log_storage.get_maximum_record_id())
