"""The errors that Spark raises, in this process and over Spark Connect, and which of them speak of the data."""

import re

from py4j.protocol import Py4JJavaError, Py4JNetworkError
from pyspark.errors import PySparkException

SPARK_ERRORS = (PySparkException, Py4JJavaError)

# Of the machine, the session or somebody who cancelled: the same data may be read next time.
_NOT_OF_DATA = re.compile(
    r"OutOfMemoryError|No space left on device|Disk quota exceeded|Too many open files|ExecutorLostFailure"
    r"|SPARK_JOB_CANCELLED|Job \d+ cancelled|stopped SparkContext|SparkContext was shut down|StatusCode\.UNAVAILABLE"
)


def is_fault_of_data(error: Exception) -> bool:
    """Whether an error while data is read may be the data's fault, whatever its type is."""
    gone = isinstance(error, MemoryError | Py4JNetworkError | ConnectionError)
    return not gone and not _NOT_OF_DATA.search(str(error))


def reason(error: Exception) -> str:
    """What is wrong, in one line: the innermost cause that Spark names, else the error itself."""
    message = str(error)
    causes = re.findall(r"Caused by: (?:\w+\.)*(\w+: .*)", message) or re.findall(
        r"\[[A-Z_.0-9]+\] .*", message
    )
    text = causes[-1] if causes else f"{type(error).__name__}: {message.strip().partition(chr(10))[0]}"
    return text if len(text) <= 300 else f"{text[:300]}..."
