"""What all formats share: the layout of a file, how it is read, and where its records come from.

How one format is read belongs to its own file.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

from pyspark.sql import Column, DataFrame, Row, SparkSession
from pyspark.sql import functions as F

from medallion_assets.contracts.technical_columns import SOURCE_FILE, SOURCE_MODIFIED_AT

UTF8, UTF16, LATIN1 = "UTF-8", "UTF-16", "ISO-8859-1"
UTF16_BOMS = (b"\xff\xfe", b"\xfe\xff")
# A Unicode noncharacter, so it is in no text. It marks what is not landed text.
MARK = "\ufdd0"
# The largest file that may become one string in Spark: to cut it into records takes some twenty times the memory.
WHOLE_BYTES = 32 * 2**20


class Layout(ABC):
    """How a file is read. Files of equal layouts are read together, so a layout is hashable.

    columns: clean names; empty if they are known only after reading
    may_swallow: whether an unclosed quote can make one field of several lines
    """

    columns: tuple[str, ...]
    may_swallow: ClassVar[bool] = False

    @property
    def note(self) -> str:
        """How the file is read, for people; empty where that is the usual way."""
        return ""

    def may_be_cut_wrongly(self, count: Row) -> bool:
        """Whether its records may have been cut at wrong places, by what `loader` counted."""
        return bool(count["swallowed"])

    @abstractmethod
    def read(self, spark: SparkSession, paths: Sequence[str]) -> DataFrame:
        """Returns: the landed fields as text, `_corrupt_record` (the raw record, if it is broken) and `provenance`."""

    def repaired(self, swallowed: bool, undecoded: bool, size: int) -> "Layout | None":
        """How to read a file again that had swallowed lines or undecoded bytes; None if that would not help.

        size: bytes of its text
        """
        return None


def provenance(frame: DataFrame) -> list[Column]:
    """The columns `_source_file` (a URI) and `_source_modified_at` (in milliseconds).

    Needs: a DataFrame right after reading, which has Spark's file metadata.
    """
    # Not F.col("_metadata"): a landed column of that name would hide it.
    metadata = frame.metadataColumn("_metadata")
    return [
        metadata.getField("file_path").alias(SOURCE_FILE),
        metadata.getField("file_modification_time").alias(SOURCE_MODIFIED_AT),
    ]


def text_size(path: str, size: int) -> int:
    """About how many bytes of text a file has: eight times its size if it is gzipped."""
    return size * 8 if path.lower().endswith(".gz") else size


def read_text(spark: SparkSession, paths: Sequence[str], wholetext: bool) -> DataFrame:
    """Returns: one row per line or (`wholetext`) per file, its bytes in `value`, and `provenance`.

    The bytes need not be UTF-8.
    """
    lines = spark.read.text(glob_escaped(paths), wholetext=wholetext, recursiveFileLookup=True)
    return lines.select(F.col("value").cast("binary").alias("value"), *provenance(lines))


def glob_escaped(paths: Sequence[str]) -> list[str]:
    """Paths for Spark's readers, for which `[ ] { } * ?` are patterns."""
    return [re.sub(r"([\[\]{}*?\\])", r"\\\1", path) for path in paths]
