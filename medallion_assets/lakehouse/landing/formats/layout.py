"""What all formats share: the layout of a file, its provenance and clean column names."""

import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

CORRUPT = "_corrupt_record"
SOURCE_FILE = "_source_file"
SOURCE_MODIFIED_AT = "_source_modified_at"
UTF8, UTF16, LATIN1 = "UTF-8", "UTF-16", "ISO-8859-1"
UTF16_BOMS = (b"\xff\xfe", b"\xfe\xff")
# A Unicode noncharacter, so never in a text: it marks what must not be taken for landed text.
MARK = "\ufdd0"
# What may become one string in Spark: cut into records, it takes some twenty times the memory.
WHOLE_BYTES = 32 * 2**20


class Layout(ABC):
    """How a file is read. Files of equal layouts are read together, so a layout is hashable."""

    columns: tuple[str, ...]  # clean names; empty if only reading tells
    may_swallow: ClassVar[bool] = False  # whether an unclosed quote can make a field out of lines

    @abstractmethod
    def read(self, spark: SparkSession, paths: Sequence[str]) -> DataFrame:
        """The landed fields as text, then CORRUPT (the raw record, if broken) and `provenance`."""

    def repaired(self, swallowed: bool, undecoded: bool, size: int) -> "Layout | None":
        """How to read a file again that came back with swallowed lines or undecoded bytes."""
        return None


def provenance(frame: DataFrame) -> list[Column]:
    """The URI of the file and its time of change (milliseconds). Ask for it right after reading."""
    # Not F.col("_metadata"): a landed column of that name would hide it.
    metadata = frame.metadataColumn("_metadata")
    return [
        metadata.getField("file_path").alias(SOURCE_FILE),
        metadata.getField("file_modification_time").alias(SOURCE_MODIFIED_AT),
    ]


def text_size(path: str, size: int) -> int:
    """About how many bytes of text a file holds."""
    return size * 8 if path.lower().endswith(".gz") else size


def read_text(spark: SparkSession, paths: Sequence[str], wholetext: bool) -> DataFrame:
    """One row per line or per file, its bytes in `value` (they may be no UTF-8), and `provenance`."""
    lines = spark.read.text(glob_escaped(paths), wholetext=wholetext, recursiveFileLookup=True)
    return lines.select(F.col("value").cast("binary").alias("value"), *provenance(lines))


def glob_escaped(paths: Sequence[str]) -> list[str]:
    """Paths for Spark's readers, which take `[ ] { } * ?` for patterns."""
    return [re.sub(r"([\[\]{}*?\\])", r"\\\1", path) for path in paths]
