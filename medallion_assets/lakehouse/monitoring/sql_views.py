"""The tables of the lake as views of DuckDB: `silver/orders` is `silver.orders`. Nothing can be written through them.

The Delta log names the files, and Arrow reads those that a query's filter does not rule out.
"""

from collections.abc import Iterable

import duckdb

from medallion_assets.lakehouse.storage.lake import table_path
from medallion_assets.lakehouse.storage.open_table import dataset_of, open_table


def connect() -> duckdb.DuckDBPyConnection:
    """A database in memory. Times are UTC, and no extension is downloaded."""
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'; SET autoinstall_known_extensions = false")
    return connection


def attach(connection: duckdb.DuckDBPyConnection, root: str, keys: Iterable[str]) -> list[str]:
    """Makes or renews the view of each table, as the table is now; a line for each table that cannot be read."""
    unreadable: list[str] = []
    for key in keys:
        try:
            connection.register(key, dataset_of(open_table(table_path(root, key))))
        except Exception as error:  # of Arrow or delta-rs; the other tables can be read
            unreadable.append(f"{key} cannot be read: {' '.join(str(error).split())}")
        else:
            connection.execute(f"CREATE SCHEMA IF NOT EXISTS {_quoted(key.partition('/')[0])}")
            connection.execute(f"CREATE OR REPLACE VIEW {view_of(key)} AS FROM {_quoted(key)}")
    return unreadable


def view_of(key: str) -> str:
    """The name of a table's view in SQL, each part in quotes."""
    return ".".join(_quoted(part) for part in key.split("/"))


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
