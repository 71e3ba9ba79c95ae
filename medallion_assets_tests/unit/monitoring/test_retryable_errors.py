"""Which errors are worth another attempt, by what Spark, PostgreSQL, delta-rs and the system say."""

import errno

import dagster as dg
import psycopg
import pytest
from deltalake.exceptions import CommitFailedError, DeltaError
from pyspark.errors import PySparkException

from medallion_assets.contracts.stored import IncompatibleContract
from medallion_assets.lakehouse.landing.area import LandingError
from medallion_assets.lakehouse.monitoring.retryable_errors import is_retryable
from medallion_assets.lakehouse.silver.merge.commit import ConcurrentChange
from medallion_assets.lakehouse.sources.base import SourceError
from medallion_assets.lakehouse.spark.session import ExecutorsMissing


def caused(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    "error",
    [
        PySparkException("[DELTA_CONCURRENT_APPEND.WITH_PARTITION_HINT] Transaction conflict detected"),
        PySparkException("io.delta.exceptions.ConcurrentDeleteReadException: ..."),
        PySparkException("Job aborted due to stage failure: ExecutorLostFailure (executor 3 exited)"),
        PySparkException("[CHECKPOINT_RDD_BLOCK_ID_NOT_FOUND] Checkpoint block rdd_7_0 not found!"),
        ExecutorsMissing("spark://host:7077 gave no executor within 60 s"),
        PySparkException("Caused by: java.net.SocketTimeoutException: Read timed out"),
        PySparkException("Caused by: java.io.IOException: Input/output error"),
        caused(
            SourceError("bronze/web_orders cannot be read"), psycopg.OperationalError("connection refused")
        ),
        psycopg.errors.DeadlockDetected(),
        OSError(errno.ESTALE, "Stale file handle"),
        TimeoutError("timed out"),
        ConnectionResetError(errno.ECONNRESET, "reset"),
        PySparkException("Caused by: org.apache.hadoop.fs.s3a.AWSServiceThrottledException: SlowDown"),
        OSError(
            "Generic S3 error\n   \x1b[31m↳\x1b[0m returned non-2xx status code\n   \x1b[31m↳\x1b[0m 503 Slow"
        ),
        DeltaError("Generic S3 error: after 10 retries - HTTP error: error sending request"),
        CommitFailedError("conflict"),
        ConcurrentChange("staged 1 row, merged 2"),
    ],
)
def test_may_pass(error: Exception):
    assert is_retryable(error)


@pytest.mark.parametrize(
    "error",
    [
        PySparkException("[UNRESOLVED_COLUMN] a column cannot be resolved"),
        PySparkException("Caused by: java.io.IOException: No space left on device"),
        PySparkException("Caused by: java.io.FileNotFoundException: part-1.parquet"),
        caused(SourceError("cannot log in"), psycopg.errors.InvalidPassword()),
        OSError(errno.ENOSPC, "No space left on device"),
        FileNotFoundError(errno.ENOENT, "no such file"),
        LandingError("the landing root is missing"),
        OSError("Generic S3 error: Server returned non-2xx status code: 403 Forbidden: <Error>"),
        IncompatibleContract("another type"),
        dg.Failure("bad days"),
        ZeroDivisionError(),
    ],
)
def test_never_passes(error: Exception):
    assert not is_retryable(error)
