"""A PostgreSQL server of the machine's own package, with a data folder and a port of its own."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from glob import glob
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg

from medallion_assets.local_servers.local_process import LocalProcess, ServerError, free_port, running

INSTALL = "on Debian and Ubuntu: apt-get install postgresql"
# Without durability: the folder does not outlive the process.
SETTINGS = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}


@dataclass(frozen=True)
class Database:
    """A database that anything may be done to: the user is the server's superuser."""

    port: int
    password: str
    host: str = "127.0.0.1"
    user: str = "medallion"
    name: str = "postgres"

    @property
    def url(self) -> str:
        user, password = quote(self.user, safe=""), quote(self.password, safe="")
        return f"postgresql://{user}:{password}@{self.host}:{self.port}/{quote(self.name, safe='')}"

    def connect(self) -> psycopg.Connection:
        """A connection whose changes nobody sees before its commit."""
        return psycopg.connect(self.url)

    def execute(self, statements: str) -> list[tuple[Any, ...]]:
        """Runs and commits them; the rows of the last one, where it has some."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            cursor = connection.execute(statements.encode())
            while cursor.nextset():
                pass
            return cursor.fetchall() if cursor.description else []

    def answers(self) -> bool:
        try:
            self.connect().close()
        except psycopg.OperationalError:
            return False
        return True


@contextmanager
def postgres_server(password: str, **settings: str) -> Iterator[Database]:
    """Runs until the context is left. ServerError.

    settings: of `postgresql.conf`, such as wal_level
    """
    # Not below a folder of the caller's, which may be closed to the user that the server runs as.
    with tempfile.TemporaryDirectory(prefix="postgres-") as name:
        folder, answer = Path(name), Database(free_port(), password)
        _initialise(folder, answer)
        given = {"listen_addresses": answer.host, "port": str(answer.port), "unix_socket_directories": ""}
        command = [_binary("postgres"), "-D", str(folder / "data")]
        for key, value in (SETTINGS | given | settings).items():
            command += ["-c", f"{key}={value}"]
        # SIGINT: without waiting for its clients.
        server = LocalProcess("PostgreSQL", command, folder, answer.answers, signal.SIGINT, **_unprivileged())
        with running(server):
            yield answer


def _initialise(folder: Path, answer: Database) -> None:
    password = folder / "password"
    password.write_text(answer.password)
    if user := _unprivileged().get("user"):
        for path in (folder, password):
            shutil.chown(path, user, _unprivileged()["group"])
    command = [_binary("initdb"), "-D", str(folder / "data"), "-U", answer.user, "--pwfile", str(password)]
    command += ["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, **_unprivileged())
    if done.returncode:
        raise ServerError(f"initdb of PostgreSQL failed: {done.stdout}{done.stderr}")


def _binary(name: str) -> str:
    newest_first = sorted(glob(f"/usr/lib/postgresql/*/bin/{name}"), key=_version, reverse=True)
    found = shutil.which(name) or next(iter(newest_first), None)
    if found is None:
        raise ServerError(f"There is no {name} of PostgreSQL: install it ({INSTALL}).")
    return os.path.realpath(found)  # it finds its own files beside itself


def _version(path: str) -> float:
    return float(Path(path).parts[-3])


def _unprivileged() -> dict[str, Any]:
    """PostgreSQL refuses to run as root; its package makes a user for it."""
    if os.getuid() != 0:
        return {}
    try:
        user = pwd.getpwnam("postgres")
    except KeyError:
        raise ServerError(
            f"There is no user postgres to run the server as: install PostgreSQL ({INSTALL})."
        ) from None
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
