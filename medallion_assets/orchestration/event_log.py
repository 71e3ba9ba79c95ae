"""Many events of Dagster in one transaction.

Dagster's SQLite opens, writes and closes a database three times an event: 28 ms, of which 2 are the event. Here the
events that a step ends with share a connection and a transaction. Storages that keep their connections (PostgreSQL,
MySQL) are left as they are.

This needs internal names of Dagster: `test_event_log.py` fails if a new version changes them.
"""
# pyright: reportPrivateUsage=false

import threading
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from itertools import islice
from typing import TypeVar

import dagster as dg
from dagster._core.storage.event_log.base import EventLogStorage
from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from sqlalchemy import Connection, create_engine
from sqlalchemy.pool import NullPool

Event = TypeVar("Event")

AT_ONCE = 200
"""Events a transaction: half a second, for which other processes that write must wait."""


def stored_at_once(instance: dg.DagsterInstance, events: Iterable[Event]) -> Iterator[Event]:
    """The same events; what Dagster stores of each before it asks for the next is committed with its neighbours."""
    remaining = iter(events)
    while some := list(islice(remaining, AT_ONCE)):  # made before the transaction begins
        with _one_transaction(instance.event_log_storage):
            yield from some


@contextmanager
def _one_transaction(storage: EventLogStorage) -> Generator[None]:
    """What this thread stores in the meantime is committed at the end, also when that is an error."""
    is_within_another = "_connect" in vars(storage)
    if is_within_another or not isinstance(storage, SqliteEventLogStorage):
        yield
        return
    connections: dict[str, Connection] = {}
    owner, own_connect = threading.get_ident(), storage._connect

    @contextmanager
    def connect(shard: str) -> Generator[Connection]:
        if threading.get_ident() != owner:
            with own_connect(shard) as connection:
                yield connection
            return
        if shard not in connections:
            with own_connect(shard):
                pass  # makes a new database
            connections[shard] = _begun(storage.conn_string_for_shard(shard))
        yield connections[shard]

    storage._connect, storage.has_table = connect, cache(storage.has_table)
    try:
        yield
    finally:
        del storage._connect, storage.has_table
        for connection in connections.values():
            connection.commit()
            connection.close()


def _begun(database: str) -> Connection:
    wait = {"timeout": SQLITE_BUSY_TIMEOUT_SECONDS}
    connection = create_engine(database, poolclass=NullPool, connect_args=wait).connect()
    connection.begin()
    return connection
