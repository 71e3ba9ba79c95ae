"""Whether a table that is stored is still what its contract says, so that nothing is written that does not fit."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from medallion_assets.contracts.gold import GoldTable
from medallion_assets.contracts.merge_policies import Upsert
from medallion_assets.contracts.silver import SilverTable
from medallion_assets.contracts.technical_columns import SEQUENCE, VERSIONED
from medallion_assets.errors import MedallionError

STRING = "string"
_ADDED_FIELDS = (
    r"_[^:]*_nanoseconds:int|message_offset:bigint|is_delete:boolean|hash:string|content_hash:bigint"
)
_ADDED = re.compile(rf",({_ADDED_FIELDS})(?=,|$)")


class IncompatibleContract(MedallionError):
    """The contract is another than the stored table was written by. The message says how to rebuild the table."""


@dataclass(frozen=True)
class StoredTable:
    """What a table in the lake is.

    types: column -> Spark's text of its type; partition_by: its partition column, if any
    keys: what identifies a row of silver; None where it was written before this was kept
    """

    types: Mapping[str, str]
    partition_by: str | None
    keys: tuple[str, ...] | None = None


def check_contract(table: SilverTable | GoldTable, stored: StoredTable) -> None:
    """IncompatibleContract, with all that differs, unless the stored table can go on under the contract."""
    if found := list(differences(table, stored)):
        raise IncompatibleContract(
            f"{table.key} was written by another contract: {'; '.join(found)}: "
            f"run the job full_refresh for the table {table.key}, which rebuilds it"
        )


def differences(table: SilverTable | GoldTable, stored: StoredTable) -> Iterator[str]:
    """What differs, one text each. A column that is new differs in nothing: it is added."""
    there = {name.lower(): type_ for name, type_ in stored.types.items()}
    if isinstance(table, SilverTable):
        yield from _of_silver(table, stored, there)
    for column in table.columns:
        found = there.get(column.name.lower())
        if found is not None and _plain(found) != _plain(column.type):
            yield f"{column.name} is {found} in the lake and {column.type} in the contract"
    for name in sorted(there.keys() - {name.lower() for name in table.types}):
        if table.layer == "gold" or not (there[name] == STRING or name.startswith("_") or name in VERSIONED):
            yield f"{name} is {there[name]} in the lake and no column of the contract"
    if stored.partition_by != table.partition_column:
        yield f"it is partitioned by {stored.partition_by} in the lake and by {table.partition_column} in the contract"


def _of_silver(table: SilverTable, stored: StoredTable, there: Mapping[str, str]) -> Iterator[str]:
    keeps_versions = "valid_from" in there
    if keeps_versions != table.write.keeps_versions:
        yield f"it keeps {'versions' if keeps_versions else 'no versions'} in the lake, against the contract"
    has_keys = SEQUENCE in there
    if has_keys != table.write.has_keys:
        yield f"it has {'keys' if has_keys else 'no keys'} in the lake, against the contract"
    if not (has_keys and isinstance(table.write, Upsert)):
        return
    if stored.keys is not None and set(stored.keys) != set(table.write.keys):
        yield f"its keys are {_listed(stored.keys)} in the lake and {_listed(table.write.keys)} in the contract"
    fields = ",".join(f"{name}:{type_}" for name, type_ in table.sequence_fields.items())
    stored_order, order = _order(there[SEQUENCE]), _order(f"struct<{fields}>")
    if stored_order != order:
        yield f"its changes are ordered by {stored_order} in the lake and {order} here"


def _order(struct: str) -> str:
    """The columns of a sequence without those that the lake adds, now or before."""
    return _ADDED.sub("", _plain(struct).removeprefix("struct<").removesuffix(">")).replace(",", ", ")


def _plain(type_: str) -> str:
    return type_.replace("`", "")


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(names)
