"""What a Delta table tells of the contract that it was written by: types, partition, and the keys of its rows.

The keys are kept in the table's own schema, as metadata of one column, from the commit on that creates or rewrites it:
a Delta writer keeps the metadata of a column that is there already.
"""

from collections.abc import Sequence

from pyspark.sql import Column
from pyspark.sql import functions as F

from medallion_assets.contracts.gold import GoldTable
from medallion_assets.contracts.silver import SilverTable
from medallion_assets.contracts.stored import StoredTable, check_contract
from medallion_assets.contracts.technical_columns import SEQUENCE
from medallion_assets.lakehouse.storage import transaction_log
from medallion_assets.lakehouse.storage.lake import Lake

KEYS = "medallion.keys"


def sequence_with_keys(keys: Sequence[str]) -> Column:
    """`_sequence`, whose metadata says what it orders the changes of."""
    return F.col(SEQUENCE).alias(SEQUENCE, metadata={KEYS: list(keys)})


def hold_to_contract(lake: Lake, table: SilverTable | GoldTable) -> None:
    """IncompatibleContract if the stored table cannot go on under the contract. Call it before any write."""
    if lake.exists(table.key):
        check_contract(table, stored_table(lake, table.key))


def stored_table(lake: Lake, key: str) -> StoredTable:
    columns = lake.read(key).schema
    metadata = {column.name: column.metadata for column in columns}
    keys = metadata.get(SEQUENCE, {}).get(KEYS)
    return StoredTable(
        types={column.name: column.dataType.simpleString() for column in columns},
        partition_by=transaction_log.partition_column(lake.root, key),
        keys=None if keys is None else tuple(keys),
    )
