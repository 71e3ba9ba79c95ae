"""Many files of many layouts, some of them unreadable, as one persisted DataFrame.

Which files are read again, and how, is decided in `landing/reader.py`.
"""

from collections.abc import Mapping, Sequence
from functools import reduce
from urllib.parse import quote

from pyspark.sql import Column, DataFrame, Row, SparkSession
from pyspark.sql import functions as F

from medallion_assets.contracts.column import INGESTION_DATE
from medallion_assets.contracts.technical_columns import CORRUPT_RECORD, SOURCE_FILE, SOURCE_MODIFIED_AT
from medallion_assets.lakehouse.landing.formats.folder_columns import with_folder_columns
from medallion_assets.lakehouse.landing.formats.layout import Layout
from medallion_assets.lakehouse.landing.listing import area_of
from medallion_assets.lakehouse.spark.errors import is_fault_of_data, reason
from medallion_assets.lakehouse.spark.expressions import quoted

ADDED = (CORRUPT_RECORD, INGESTION_DATE, SOURCE_FILE, SOURCE_MODIFIED_AT)

# A field that an unclosed quote may have made: a quote and a text that goes on in the next line, the whole rest of the
# file, or lines of fields; or a field that ends with half a line end. (Fields are joined by NUL.)
SWALLOWED = r'(?:^|\x00)"[^\x00]*\n|[\r\n](?:\x00|$)|\n[^\x00\n]*,'


def load(
    spark: SparkSession, root: str, layouts: Mapping[str, Layout], base: DataFrame | None = None
) -> tuple[DataFrame | None, dict[str, Row], dict[str, str]]:
    """The records of the files and of `base`, persisted; path -> their counts; path -> why a file failed.

    Paths are relative to the root. A file that fails does not stop the others, and files that fail only together are
    read apart. The error itself where no file is to blame.
    """
    try:
        frame, counts = _persisted(spark, root, [layouts], base)
        return frame, counts, {}
    except Exception as error:
        if not is_fault_of_data(error):
            raise
    readable, failed = _told_apart(spark, root, layouts)
    frame, counts = _persisted(spark, root, readable, base)
    return frame, counts, failed


def _persisted(
    spark: SparkSession, root: str, sets: Sequence[Mapping[str, Layout]], base: DataFrame | None
) -> tuple[DataFrame | None, dict[str, Row]]:
    frames = ([] if base is None else [base]) + ([_records(spark, root, sets)] if any(sets) else [])
    if not frames:
        return None, {}
    frame = reduce(_united, frames).persist()
    try:
        return frame, _counts(frame)
    except Exception:
        frame.unpersist()
        raise


def _told_apart(
    spark: SparkSession, root: str, layouts: Mapping[str, Layout]
) -> tuple[list[Mapping[str, Layout]], dict[str, str]]:
    """Sets of files that can be read together; path -> why a file cannot be read even alone.

    The files of each layout are divided until a set is readable or a file is alone.
    """
    readable: list[Mapping[str, Layout]] = []
    failed: dict[str, str] = {}
    waiting = [{path: layouts[path] for path in paths} for paths in _by_layout(layouts).values()]
    while waiting:
        files = waiting.pop(0)
        try:
            _counts(_records(spark, root, [files]))
            readable.append(files)
        except Exception as error:
            if not is_fault_of_data(error):
                raise
            if len(files) == 1:
                failed |= dict.fromkeys(
                    files, f"Spark cannot read it ({reason(error)}); fix it or land it again"
                )
            else:
                waiting += _divided(files, str(error))
    return readable, failed


def _divided(files: Mapping[str, Layout], error: str) -> list[dict[str, Layout]]:
    """The files that an error names and the others; two halves where it names none."""
    named = {path for path in files if path in error or quote(path) in error}
    first = named if 0 < len(named) < len(files) else set(list(files)[: len(files) // 2])
    return [{path: files[path] for path in files if (path in first) == wanted} for wanted in (True, False)]


def _by_layout(layouts: Mapping[str, Layout]) -> dict[Layout, list[str]]:
    groups: dict[Layout, list[str]] = {}
    for path, layout in layouts.items():
        groups.setdefault(layout, []).append(path)
    return groups


def _records(spark: SparkSession, root: str, sets: Sequence[Mapping[str, Layout]]) -> DataFrame:
    """Returns: the landed fields of all files, sorted, then ADDED. One read per set and layout."""
    area = area_of(root)
    reads = [read for layouts in sets for read in _by_layout(layouts).items()]
    frames = [layout.read(spark, [area.content(path).path for path in paths]) for layout, paths in reads]
    frame = reduce(_united, frames)
    frame = frame.withColumn(SOURCE_FILE, _relative(F.col(SOURCE_FILE), root))
    frame = with_folder_columns(frame, [path for layouts in sets for path in layouts])
    fields = sorted(set(frame.columns) - set(ADDED))
    return frame.withColumn(INGESTION_DATE, _day(F.col(SOURCE_FILE))).select(*map(quoted, fields), *ADDED)


def _united(left: DataFrame, right: DataFrame) -> DataFrame:
    """The rows of both, matched by column name, case aside; names are spelled as on the left."""
    return left.unionByName(right, allowMissingColumns=True)


def _relative(uri: Column, root: str) -> Column:
    # Spark's URIs do not encode a plus, and url_decode would make a space of it.
    path = F.url_decode(F.replace(uri, F.lit("+"), F.lit("%2B")))
    above = area_of(root).above
    return F.substr(path, F.instr(path, above) + len(above))


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
