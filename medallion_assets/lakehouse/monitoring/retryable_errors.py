"""Which errors are retryable: lost executors, I/O, timeouts, commit conflicts. A broken contract is not.

When an attempt is repeated is decided in `orchestration/failures.py`.
"""

import errno
import re
from collections.abc import Iterator

import psycopg
from deltalake.exceptions import CommitFailedError, DeltaError
from py4j.protocol import Py4JNetworkError

from medallion_assets.errors import MedallionError
from medallion_assets.lakehouse.spark.errors import SPARK_ERRORS
from medallion_assets.lakehouse.storage.stores import is_transient

_RETRYABLE = re.compile(
    r"Concurrent\w*Exception|DELTA_CONCURRENT_|ExecutorLostFailure|FetchFailed|CHECKPOINT_RDD_BLOCK_ID_NOT_FOUND|java\.io\.IOException"
    r"|AWS(?:ServiceThrottled|Status500|ApiCallTimeout|NoResponse)Exception"
    r"|(?:Socket|Connect|Timeout|SocketTimeout|NoRouteToHost|UnknownHost)Exception"
)
# An I/O error with one of these would fail again.
_PERMANENT = re.compile(
    r"No space left on device|FileNotFoundException|NoSuchFileException|Permission denied|Access ?Denied"
)
_RETRYABLE_ERRNO = {
    errno.EIO,
    errno.EAGAIN,
    errno.EBUSY,
    errno.ESTALE,
    errno.EPIPE,
    errno.ETIMEDOUT,
    errno.ECONNRESET,
    errno.ECONNREFUSED,
    errno.ECONNABORTED,
    errno.EHOSTUNREACH,
    errno.ENETUNREACH,
}
_RETRYABLE_SQLSTATES = ("08", "40", "53", "57")
"""Classes of PostgreSQL's: connection, serialization, resources, shutdown."""


def is_retryable(error: BaseException) -> bool:
    """By the error and all that caused it: our own say so themselves, others are read."""
    chain = list(_chain(error))
    if any(isinstance(one, Py4JNetworkError) for one in chain):
        return False  # the JVM is gone, and with it the session of this process
    return any(_passes(one) for one in chain)


def _passes(error: BaseException) -> bool:
    if isinstance(error, MedallionError):
        return error.retryable
    if isinstance(error, SPARK_ERRORS):
        text = str(error)  # with the Java causes
        return bool(_RETRYABLE.search(text)) and not _PERMANENT.search(text)
    if isinstance(error, psycopg.OperationalError):
        return error.sqlstate is None or error.sqlstate.startswith(_RETRYABLE_SQLSTATES)
    if isinstance(error, OSError | DeltaError) and is_transient(str(error)):
        return True  # delta-rs has asked a store ten times
    if isinstance(error, OSError):
        return isinstance(error, TimeoutError) or error.errno in _RETRYABLE_ERRNO
    return isinstance(error, CommitFailedError)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        yield error
        seen.add(id(error))
        error = error.__cause__ or error.__context__
