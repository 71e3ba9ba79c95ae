"""CSV, plain or gzipped: comma, double quotes doubled, newlines in quotes, UTF-8 or UTF-16 with a BOM."""

import csv
import gzip
import io
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StringType, StructField, StructType

from medallion_assets.contracts.technical_columns import CORRUPT_RECORD, SOURCE_FILE, SOURCE_MODIFIED_AT
from medallion_assets.lakehouse.landing.column_names import UnreadableFile, clean_names
from medallion_assets.lakehouse.landing.formats.layout import (
    LATIN1,
    MARK,
    UTF8,
    UTF16,
    UTF16_BOMS,
    WHOLE_BYTES,
    Layout,
    glob_escaped,
    provenance,
    read_text,
)
from medallion_assets.lakehouse.spark.expressions import quoted

# Java patterns: the beginning of a quoted field, a whole field, a line with a quote that stays open.
OPEN = r'"[^"]*+(?:""[^"]*+)*+'
FIELD = rf'(?:{OPEN}"|[^",\n][^,\n]*+|)'
UNCLOSED = rf"^(?:{FIELD},)*+{OPEN}$"
PARSING = {
    "escape": '"',
    "multiLine": "true",
    "mode": "PERMISSIVE",
    "columnNameOfCorruptRecord": CORRUPT_RECORD,
    # Two different values, so that an unquoted empty field is NULL and "" an empty text.
    "nullValue": MARK,
    "emptyValue": "",
    # Spark reserves that much for each file. Only a field with an unclosed quote is longer.
    "maxCharsPerColumn": str(2**20),
}


def sniff_csv(path: str) -> Layout | None:
    """The layout by the header, which may be quoted. None if there is no header. UnreadableFile."""
    with _opened(path) as binary:
        utf16 = binary.peek(2)[:2] in UTF16_BOMS
        text = io.TextIOWrapper(
            binary, "utf-16" if utf16 else "utf-8-sig", errors="surrogateescape", newline=""
        )
        try:
            header = next((row for row in csv.reader(text, strict=True) if row), None)
        except (csv.Error, UnicodeError) as error:
            raise UnreadableFile(f"the header is not well-formed CSV ({error}); land it corrected") from error
        except (EOFError, zlib.error) as error:
            raise UnreadableFile(f"it is no complete gzip file ({error}); land it again") from error
    if header is None:
        return None
    if any("\0" in name for name in header):
        raise UnreadableFile("the header holds NUL bytes; save the file as UTF-8")
    return CsvLayout(clean_names([_text(name) for name in header]), UTF16 if utf16 else UTF8)


@contextmanager
def _opened(path: str) -> Iterator[io.BufferedReader]:
    with open(path, "rb") as file:
        yield io.BufferedReader(gzip.GzipFile(fileobj=file)) if path.lower().endswith(".gz") else file


def _text(name: str) -> str:
    """A name of the header; as Latin-1 where its bytes are not UTF-8."""
    landed = name.encode("utf-8", "surrogateescape")
    try:
        return landed.decode("utf-8")
    except UnicodeDecodeError:
        return landed.decode("latin-1")


@dataclass(frozen=True)
class CsvLayout(Layout):
    """CSV as Spark's own reader takes it: well-formed, or with broken records that stay within their lines."""

    may_swallow = True

    columns: tuple[str, ...]
    encoding: str

    def read(self, spark: SparkSession, paths: Sequence[str]) -> DataFrame:
        schema = StructType([StructField(name, StringType()) for name in (*self.columns, CORRUPT_RECORD)])
        reader = spark.read.schema(schema).options(**PARSING, recursiveFileLookup=True)
        frame = reader.csv(glob_escaped(paths), header=True, encoding=self.encoding)
        landed = self._decoded() if self.encoding == LATIN1 else ["*"]
        return frame.select(*landed, *provenance(frame))

    def repaired(self, swallowed: bool, undecoded: bool, size: int) -> Layout | None:
        if (swallowed or (undecoded and self.encoding == UTF16)) and size <= WHOLE_BYTES:
            return BrokenCsvLayout(self.columns, self.encoding)
        return replace(self, encoding=LATIN1) if undecoded else None

    def _decoded(self) -> list[Column]:
        """The fields, as UTF-8 where they can be. A record in which one cannot is corrupt."""
        fields = [quoted(name) for name in self.columns]
        lossy = ~F.is_valid_utf8(_utf8_of_latin1(F.concat_ws(",", *fields)))
        corrupt = F.coalesce(F.col(CORRUPT_RECORD), F.when(lossy, F.to_csv(F.struct(*fields))))
        return [
            *[_decoded(field).alias(name) for field, name in zip(fields, self.columns, strict=True)],
            _decoded(corrupt).alias(CORRUPT_RECORD),
        ]


@dataclass(frozen=True)
class BrokenCsvLayout(Layout):
    """CSV that may have unclosed quotes, and bytes that are not UTF-8: only the broken records are lost.

    A file is one string here. A pattern cuts it into records: a well-formed record with as many fields as the header,
    which may span lines, or else a single line.
    """

    columns: tuple[str, ...]
    encoding: str

    def read(self, spark: SparkSession, paths: Sequence[str]) -> DataFrame:
        files = read_text(spark, paths, wholetext=True)
        records = files.select(
            F.explode(self._records(F.col("value"))).alias("record"), SOURCE_FILE, SOURCE_MODIFIED_AT
        )
        parsed = records.withColumn("parsed", F.from_csv("record", self._schema(), PARSING))
        broken = F.col("parsed").getField(CORRUPT_RECORD).isNotNull() | F.col("record").rlike(UNCLOSED)
        if self.encoding != UTF16:
            broken = broken | ~F.is_valid_utf8(_utf8_of_latin1("record"))
        return parsed.select(
            *[
                self._decoded(F.col("parsed").getField(str(position))).alias(name)
                for position, name in enumerate(self.columns)
            ],
            F.when(broken, self._decoded(F.col("record"))).alias(CORRUPT_RECORD),
            SOURCE_FILE,
            SOURCE_MODIFIED_AT,
        )

    def _records(self, content: Column) -> Column:
        """The records below the header. Read as Latin-1, which keeps every byte of UTF-8."""
        text = F.decode(content, UTF16 if self.encoding == UTF16 else LATIN1)
        text = F.regexp_replace(text, "^" + "\ufeff".encode().decode("latin-1"), "")
        text = F.replace(text, F.lit("\r\n"), F.lit("\n"))
        record = rf"{FIELD}(?:,{FIELD}){{{len(self.columns) - 1}}}+(?=\n|\z)"
        records = F.regexp_extract_all(text, F.lit(rf"{record}|[^\n]++"), F.lit(0))
        records = F.filter(records, lambda record: record != "")
        return F.slice(records, F.lit(2), F.size(records))

    def _schema(self) -> str:
        return ", ".join(f"`{name}` string" for name in (*range(len(self.columns)), CORRUPT_RECORD))

    def _decoded(self, text: Column) -> Column:
        return text if self.encoding == UTF16 else _decoded(text)


def _decoded(text: Column) -> Column:
    """A text that was read as Latin-1; as UTF-8 where its bytes are UTF-8."""
    return F.coalesce(F.try_validate_utf8(_utf8_of_latin1(text)), text)


def _utf8_of_latin1(text: Column | str) -> Column:
    """The landed bytes of a text that was read as Latin-1, as a text that may be invalid."""
    return F.encode(text, LATIN1).cast("string")


SNIFFERS = {".csv": sniff_csv, ".csv.gz": sniff_csv}
