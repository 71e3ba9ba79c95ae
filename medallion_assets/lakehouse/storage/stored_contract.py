"""What a stored Delta table says about the contract it was written with: types, partition, and the keys of its rows.

The keys are stored in the table's schema, as metadata of one column, by the commit that creates or rewrites the table:
a Delta writer keeps the metadata of an existing column. Which differences matter is decided in `contracts/stored.py`.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from pyspark.sql import Column
from pyspark.sql import functions as F

from medallion_assets.contracts.gold import GoldTable
from medallion_assets.contracts.silver import SilverTable
from medallion_assets.contracts.stored import StoredTable, check_contract
from medallion_assets.contracts.technical_columns import SEQUENCE
from medallion_assets.errors import MedallionError
from medallion_assets.lakehouse.storage import transaction_log
from medallion_assets.lakehouse.storage.lake import Lake

KEYS = "medallion.keys"


class NewerContract(MedallionError):
    """Another process works by a contract that is newer than that of this one, which must not undo what that did."""


def sequence_with_keys(keys: Sequence[str]) -> Column:
    """The column `_sequence`, with the keys whose changes it orders as metadata."""
    return F.col(SEQUENCE).alias(SEQUENCE, metadata={KEYS: list(keys)})


def check_stored_contract(lake: Lake, table: SilverTable | GoldTable) -> None:
    """IncompatibleContract if the stored table cannot go on under the contract. Called before any write."""
    if lake.exists(table.key):
        check_contract(table, stored_table(lake, table.key))


def stored_table(lake: Lake, key: str) -> StoredTable:
    """The types, partition column and keys of a stored table; keys are None where it does not say."""
    columns = lake.read(key).schema
    metadata = {column.name: column.metadata for column in columns}
    keys = metadata.get(SEQUENCE, {}).get(KEYS)
    return StoredTable(
        types={column.name: column.dataType.simpleString() for column in columns},
        partition_by=transaction_log.partition_column(lake.root, key),
        keys=None if keys is None else tuple(keys),
    )


def refuse_newer(lake: Lake, table: SilverTable | GoldTable, written: Iterable[tuple[str, datetime]]) -> None:
    """NewerContract where something was written under another contract since this process read its own.

    written: fingerprint of the contract and time, of each thing that the table's ledger has; not looked at
        where the process is about to end
    """
    since = lake.contracts_read_at
    if since and any(fingerprint != table.fingerprint and at > since for fingerprint, at in written):
        raise NewerContract(
            f"{table.key} is kept under a newer contract than that of this process: start the process again"
        )
