"""Many files of many layouts, some of them unreadable, as one persisted DataFrame.

Which files are read again, and how, is decided in `landing/reader.py`.
"""

import os
import re
from collections.abc import Mapping
from functools import reduce

from pyspark.sql import Column, DataFrame, Row, SparkSession
from pyspark.sql import functions as F

from medallion_assets.contracts.table import INGESTION_DATE
from medallion_assets.contracts.technical_columns import CORRUPT_RECORD, SOURCE_FILE, SOURCE_MODIFIED_AT
from medallion_assets.lakehouse.landing.formats.layout import Layout
from medallion_assets.lakehouse.spark.errors import SPARK_ERRORS
from medallion_assets.lakehouse.spark.expressions import quoted

ADDED = (CORRUPT_RECORD, INGESTION_DATE, SOURCE_FILE, SOURCE_MODIFIED_AT)

# The conditions that Spark reports for an unreadable file. Other errors (no memory, a cancelled job) have other causes.
FILE_ERRORS = (
    "FAILED_READ_FILE",
    "PATH_NOT_FOUND",
    "CANNOT_READ_FILE_FOOTER",
    "MALFORMED_CHARACTER_CODING",
)

# A field that an unclosed quote may have made: a quote and a text that goes on in the next line, the whole rest of the
# file, or lines of fields; or a field that ends with half a line end. (Fields are joined by NUL.)
SWALLOWED = r'(?:^|\x00)"[^\x00]*\n|[\r\n](?:\x00|$)|\n[^\x00\n]*,'


def load(
    spark: SparkSession, root: str, layouts: Mapping[str, Layout], base: DataFrame | None = None
) -> tuple[DataFrame | None, dict[str, Row], dict[str, str]]:
    """The records of the files and of `base`, persisted; path -> their counts; path -> why a file failed.

    Paths are relative to the root. A file that fails does not stop the others. Spark's error where no file is to blame.
    """
    try:
        frame, counts = _persisted(spark, root, layouts, base)
        return frame, counts, {}
    except SPARK_ERRORS:
        failed = _failures(spark, root, layouts)
        if not failed:
            raise
    readable = {path: layout for path, layout in layouts.items() if path not in failed}
    frame, counts = _persisted(spark, root, readable, base)
    return frame, counts, failed


def _persisted(
    spark: SparkSession, root: str, layouts: Mapping[str, Layout], base: DataFrame | None
) -> tuple[DataFrame | None, dict[str, Row]]:
    frames = ([] if base is None else [base]) + ([_records(spark, root, layouts)] if layouts else [])
    if not frames:
        return None, {}
    frame = reduce(_united, frames).persist()
    try:
        return frame, _counts(frame)
    except SPARK_ERRORS:
        frame.unpersist()
        raise


def _failures(spark: SparkSession, root: str, layouts: Mapping[str, Layout]) -> dict[str, str]:
    """Path -> why Spark cannot read the file. The files are halved until each failing file is alone."""
    try:
        _records(spark, root, layouts).write.format("noop").mode("overwrite").save()
        return {}
    except SPARK_ERRORS as error:
        reason = _reason(error)
    if len(layouts) == 1:
        return dict.fromkeys(layouts, reason)
    items = list(layouts.items())
    middle = len(items) // 2
    return _failures(spark, root, dict(items[:middle])) | _failures(spark, root, dict(items[middle:]))


def _reason(error: Exception) -> str:
    """What is wrong with a file, from Spark's message. Raises the error again if no file is to blame."""
    message = str(error)
    if not any(condition in message for condition in FILE_ERRORS):
        raise error
    causes = re.findall(r"Caused by: (?:\w+\.)*(\w+: .*)", message) or re.findall(r"\[[A-Z_.]+\] .*", message)
    return f"Spark cannot read it ({causes[-1] if causes else message}); fix it or land it again"


def _records(spark: SparkSession, root: str, layouts: Mapping[str, Layout]) -> DataFrame:
    """Returns: the landed fields of all files, sorted, then ADDED. One read per layout."""
    groups: dict[Layout, list[str]] = {}
    for path, layout in layouts.items():
        groups.setdefault(layout, []).append(os.path.abspath(os.path.join(root, path)))
    frame = reduce(_united, [layout.read(spark, paths) for layout, paths in groups.items()])
    fields = sorted(set(frame.columns) - set(ADDED))
    frame = frame.withColumn(SOURCE_FILE, _relative(F.col(SOURCE_FILE), root))
    return frame.withColumn(INGESTION_DATE, _day(F.col(SOURCE_FILE))).select(*map(quoted, fields), *ADDED)


def _united(left: DataFrame, right: DataFrame) -> DataFrame:
    """The rows of both, matched by column name, case aside; names are spelled as on the left."""
    return left.unionByName(right, allowMissingColumns=True)


def _relative(uri: Column, root: str) -> Column:
    # Spark's URIs do not encode a plus, and url_decode would make a space of it.
    path = F.url_decode(F.replace(uri, F.lit("+"), F.lit("%2B")))
    folder = os.path.join(os.path.abspath(root), "")
    return F.substr(path, F.instr(path, folder) + len(folder))


def _day(path: Column) -> Column:
    return F.substr(path, F.instr(path, "/date=") + 6, F.lit(10)).cast("date")


def _counts(frame: DataFrame) -> dict[str, Row]:
    """Path -> rows, corrupt, undecoded, swallowed, line ends in fields, and the columns with a value. One pass."""
    fields = [name for name in frame.columns if name not in ADDED]
    text = F.concat_ws("\0", *map(quoted, fields), CORRUPT_RECORD)
    returns, newlines = (F.contains(text, F.lit(character)) for character in "\r\n")
    counts = frame.groupBy(SOURCE_FILE).agg(
        F.count(F.lit(1)).alias("rows"),
        F.count(CORRUPT_RECORD).alias("corrupt"),
        F.count_if(F.contains(text, F.lit("\ufffd"))).alias("undecoded"),
        F.bool_or((newlines | returns) & text.rlike(SWALLOWED)).alias("swallowed"),
        F.bool_or(returns).alias("returns"),
        F.bool_or(newlines).alias("newlines"),
        F.array(*[F.when(F.count(quoted(name)) > 0, F.lit(name)) for name in fields]).alias("columns"),
    )
    return {row[SOURCE_FILE]: row for row in counts.collect()}
