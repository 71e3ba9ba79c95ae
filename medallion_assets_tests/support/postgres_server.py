"""A real PostgreSQL server for the tests: a data folder and a port of its own, a password that needs quoting."""

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from glob import glob
from pathlib import Path
from signal import SIGINT
from typing import Any
from urllib.parse import quote

import psycopg
import pytest

from medallion_assets_tests.support.ports import free_port

WAIT_SECONDS = 30


@dataclass(frozen=True)
class Database:
    """A database that anything may be done to: the user is the server's superuser."""

    port: int
    host: str = "127.0.0.1"
    user: str = "medallion"
    password: str = "p@ss/w:rd %1"
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

    def new(self, name: str) -> "Database":
        """Another, empty database of the same server, in place of an older one of that name."""
        self.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        self.execute(f'CREATE DATABASE "{name}"')
        return replace(self, name=name)


@contextmanager
def temporary_server() -> Iterator[Database]:
    """A server in a folder of its own. Not in pytest's, which is closed to the user that the server runs as."""
    with tempfile.TemporaryDirectory(prefix="postgres-") as folder, postgres_server(Path(folder)) as running:
        yield running


@contextmanager
def postgres_server(folder: Path) -> Iterator[Database]:
    """Runs until the context is left. Without durability, since the folder does not outlive the tests."""
    answer = Database(free_port())
    _initialise(folder, answer)
    settings = {"listen_addresses": answer.host, "port": answer.port, "unix_socket_directories": ""}
    settings |= {
        "fsync": "off",
        "full_page_writes": "off",
        "synchronous_commit": "off",
        "timezone": "Asia/Tokyo",
    }
    command = [_binary("postgres"), "-D", str(folder / "data")]
    command += [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, **_unprivileged())
    try:
        _wait(server, answer, folder / "log")
        yield answer
    finally:
        server.send_signal(SIGINT)  # without waiting for its clients
        try:
            server.wait(WAIT_SECONDS)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


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
        pytest.fail(f"initdb failed: {done.stdout}{done.stderr}", pytrace=False)


def _binary(name: str) -> str:
    newest_first = sorted(glob(f"/usr/lib/postgresql/*/bin/{name}"), key=_version, reverse=True)
    found = shutil.which(name) or next(iter(newest_first), None)
    if found is None:
        pytest.fail(f"There is no {name} of PostgreSQL: apt-get install postgresql", pytrace=False)
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
        pytest.fail(
            "There is no user postgres to run the server as: apt-get install postgresql", pytrace=False
        )
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def _wait(server: subprocess.Popen, answer: Database, log: Path) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            return answer.connect().close()
        except psycopg.OperationalError as error:
            if server.poll() is not None or time.monotonic() > deadline:
                pytest.fail(
                    f"The PostgreSQL server did not start ({error}): {log.read_text()}", pytrace=False
                )
        time.sleep(0.1)
