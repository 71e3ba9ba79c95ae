"""A real PostgreSQL server for the tests: a password that needs quoting, and a time zone that is not UTC."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from medallion_assets.local_servers import postgres


@dataclass(frozen=True)
class Database(postgres.Database):
    """A database that has others beside it."""

    def new(self, name: str) -> "Database":
        """Another, empty database of the same server, in place of an older one of that name."""
        self.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        self.execute(f'CREATE DATABASE "{name}"')
        return replace(self, name=name)


@contextmanager
def postgres_server() -> Iterator[Database]:
    """Runs until the context is left."""
    with postgres.postgres_server("p@ss/w:rd %1", timezone="Asia/Tokyo") as running:
        yield Database(running.port, running.password)
