"""A session with a PostgreSQL database, for this process or for Spark, and one clear line for each of its errors.

Which rows are asked for is decided in `postgres_source.py`.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote, urlencode

import psycopg
from psycopg import errors, sql
from psycopg.conninfo import conninfo_to_dict
from py4j.protocol import Py4JError
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession

from medallion_assets.contracts.bronze import FollowTable
from medallion_assets.lakehouse.sources.base import SourceError

SHAPE = "postgresql://user:password@host:5432/name"
CONNECT_SECONDS = 5
DRIVER = "org.postgresql.Driver"

# These settings decide how a value becomes text: times in UTC, every digit of a float.
TEXTS = (
    "SET LOCAL TIME ZONE 'UTC'; SET LOCAL DateStyle = ISO; SET LOCAL IntervalStyle = postgres;"
    "SET LOCAL extra_float_digits = 3"
)
# A pull is idle between its queries for as long as Spark reads.
PATIENCE = "SET LOCAL statement_timeout = {timeout}; SET LOCAL idle_in_transaction_session_timeout = 0"
SHARED = ("sslmode", "sslrootcert", "sslcert", "sslkey", "options")
"""The parameters of a libpq URL that mean the same to the JDBC driver."""


@contextmanager
def session(source: FollowTable, seconds: int = 0) -> Iterator[psycopg.Connection]:
    """A read-only transaction that sees one snapshot. SourceError for every error of PostgreSQL within it.

    seconds: the limit of each query; 0 for none
    """
    try:
        with _connect(source) as connection:
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            connection.read_only = True
            connection.execute(f"{TEXTS}; {PATIENCE.format(timeout=seconds * 1000)}".encode())
            yield connection
    except psycopg.Error as error:
        raise SourceError(_refusal(source, error)) from None


def described(source: FollowTable) -> str:
    """The table, its server and the variable that names the server; every message begins with it. No password."""
    given = _parameters(source)
    where = f"{given.get('host', 'localhost')}:{given.get('port', '5432')}/{given.get('dbname', '')}"
    return f"{source.table} at {where} ({source.connection})"


def read(
    spark: SparkSession,
    source: FollowTable,
    connection: psycopg.Connection,
    query: sql.Composed,
    parts: list[sql.Composable],
) -> DataFrame:
    """The rows of a query in the snapshot of this connection, read by one task for each predicate in `parts`.

    SourceError where Spark cannot connect.
    """
    predicates = [part.as_string(connection) for part in parts]
    url, properties = _jdbc(source, connection)
    try:
        return spark.read.jdbc(url, query.as_string(connection), predicates=predicates, properties=properties)
    except (PySparkException, Py4JError) as error:
        said = " ".join(str(error).split("\n")[:2])
        fix = "it must reach the same server and have org.postgresql:postgresql in its spark.jars.packages"
        raise SourceError(f"{described(source)}: Spark cannot read it ({said}): {fix}") from error


def _jdbc(source: FollowTable, connection: psycopg.Connection) -> tuple[str, dict[str, str]]:
    """The URL and properties for Spark's connections, which join the snapshot of this one."""
    (snapshot,) = connection.execute("SELECT pg_export_snapshot()").fetchone() or ("",)
    info, given = connection.info, _parameters(source)
    host = f"[{info.host}]" if ":" in info.host else info.host
    settings = urlencode({key: given[key] for key in SHARED if key in given}, quote_via=quote)
    join = (
        f"SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY; SET TRANSACTION SNAPSHOT '{snapshot}'"
    )
    return f"jdbc:postgresql://{host}:{info.port}/{quote(info.dbname, safe='')}?{settings}", {
        "driver": DRIVER,
        "user": info.user,
        "password": info.password,
        # Spark sets autocommit off only if there is a fetch size. With autocommit on, the first statement would join
        # the snapshot in a transaction of its own, and the query would silently read another one.
        "fetchsize": "10000",
        "sessionInitStatement": f"{join}; {TEXTS}",
    }


def _parameters(source: FollowTable) -> dict[str, str]:
    """The parts of the URL. SourceError if it is malformed; the message does not quote it, since it has a password."""
    url = os.environ.get(source.connection)
    if not url:
        raise SourceError(f"{source.table}: set {source.connection} to the database's URL, {SHAPE}")
    malformed = (
        f"{source.table}: {source.connection} must be {SHAPE}, with special characters of a password as %40"
    )
    try:
        given = {key: str(value) for key, value in conninfo_to_dict(url).items() if value is not None}
    except psycopg.Error:
        raise SourceError(malformed) from None
    host = given.get("host", "localhost")
    ports = given.get("port", "5432").split(",")
    if "@" in host or host.startswith("/") or not all(port.isdigit() for port in ports):
        raise SourceError(malformed)
    return given


def _connect(source: FollowTable) -> psycopg.Connection:
    """By TCP, never by a Unix socket: Spark must reach the same server."""
    given: dict[str, Any] = {
        "host": "localhost",
        "application_name": "medallion_assets",
        **_parameters(source),
    }
    given["connect_timeout"] = CONNECT_SECONDS
    return psycopg.connect(**given)


def _refusal(source: FollowTable, error: psycopg.Error) -> str:
    """The message of a SourceError: what PostgreSQL refused, and how to fix it."""
    said = error.diag.message_primary or str(error).strip().split("\n")[0].split("failed: ")[-1]
    if isinstance(error, errors.UndefinedTable):
        fix = "there is no such table: create it, or correct `table` in the contract"
    elif isinstance(error, errors.InsufficientPrivilege):
        user = _parameters(source).get("user", "the user")
        fix = f"{said}: GRANT SELECT ON {source.table} TO {user}"
    elif isinstance(error, errors.QueryCanceled):
        fix = f"no answer in time ({said}): an index on {source.watermark} lets it answer from there"
    elif "password" in said:
        fix = f"{said}: correct user and password in {source.connection}"
    elif isinstance(error, psycopg.OperationalError):
        fix = f"cannot be reached ({said}): start the server, or correct {source.connection}"
    else:
        fix = said
    return f"{described(source)}: {fix}"
