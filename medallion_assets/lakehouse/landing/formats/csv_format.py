"""CSV, plain or gzipped: comma, double quotes doubled, newlines in quotes, UTF-8 or UTF-16 with a BOM.

Where its header is, and what separates its fields, is found in `csv_header.py`.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import partial

from pyspark.sql import Column, DataFrame, Row, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StringType, StructField, StructType

from medallion_assets.contracts.technical_columns import CORRUPT_RECORD, SOURCE_FILE, SOURCE_MODIFIED_AT
from medallion_assets.lakehouse.landing.area import Content
from medallion_assets.lakehouse.landing.column_names import UnreadableFile, clean_names
from medallion_assets.lakehouse.landing.formats.csv_header import MOST_COLUMNS, SEPARATORS, read_header
from medallion_assets.lakehouse.landing.formats.csv_lines import has_record_per_line
from medallion_assets.lakehouse.landing.formats.csv_pattern import A_LINE, CsvPattern
from medallion_assets.lakehouse.landing.formats.layout import (
    LATIN1,
    MARK,
    UTF8,
    UTF16,
    WHOLE_BYTES,
    Layout,
    glob_escaped,
    provenance,
    read_text,
    text_size,
)
from medallion_assets.lakehouse.spark.expressions import quoted

# Spark reserves that much for each file. Only a field with an unclosed quote is longer.
LONGEST_FIELD = 2**20
PARSING = {
    "escape": '"',
    "multiLine": "true",
    "mode": "PERMISSIVE",
    "columnNameOfCorruptRecord": CORRUPT_RECORD,
    # Two different values, so that an unquoted empty field is NULL and "" an empty text.
    "nullValue": MARK,
    "emptyValue": "",
    "maxCharsPerColumn": str(LONGEST_FIELD),
}


def sniff_csv(file: Content, required: Collection[str] = (), separator: str = ",") -> Layout | None:
    """The layout by the header, which may be quoted. None if there is no header. UnreadableFile."""
    header, encoding = read_header(file, separator, required)
    if header is None:
        return None
    columns = clean_names(header.names)
    note = "" if header.separator == separator else f"separated by {SEPARATORS[header.separator]}"
    if not header.above:
        divisible = encoding == UTF8 and not file.path.lower().endswith(".gz") and has_record_per_line(file)
        return CsvLayout(columns, encoding, header.separator, header.line_end, note, divisible)
    if text_size(file.path, file.size) > WHOLE_BYTES:
        raise UnreadableFile("it is too large to read below other lines; remove those above its header")
    return WholeCsvLayout(columns, encoding, header.separator, header.line_end, note, header.above)


@dataclass(frozen=True)
class CsvFile(Layout):
    """What both readings of a CSV file know.

    unusual: what people should know of how it is read
    """

    columns: tuple[str, ...]
    encoding: str
    separator: str
    line_end: str
    unusual: str

    @property
    def note(self) -> str:
        return self.unusual


@dataclass(frozen=True)
class CsvLayout(CsvFile):
    """CSV as Spark's own reader takes it: well-formed, or with broken records that stay within their lines.

    divisible: each line is one record, so that several tasks may read the file
    """

    may_swallow = True
    divisible: bool = False

    def read(self, spark: SparkSession, paths: Sequence[str]) -> DataFrame:
        schema = StructType([StructField(name, StringType()) for name in (*self.columns, CORRUPT_RECORD)])
        options = {**PARSING, "sep": self.separator, "encoding": self.encoding}
        options["multiLine"] = str(not self.divisible).lower()
        reader = spark.read.schema(schema).options(**options, recursiveFileLookup=True)
        frame = reader.csv(glob_escaped(paths), header=True)
        landed = self._decoded() if self.encoding == LATIN1 else ["*"]
        return frame.select(*landed, *provenance(frame))

    def may_be_cut_wrongly(self, count: Row) -> bool:
        """Spark cuts at line ends as the first line has them; those of another kind are left in fields."""
        plain = self.line_end == "\n" and self.separator == ","
        return count["swallowed"] or count["returns"] or (count["newlines"] and not plain)

    def repaired(self, swallowed: bool, undecoded: bool, size: int) -> Layout | None:
        if (swallowed or (undecoded and self.encoding == UTF16)) and size <= WHOLE_BYTES:
            return WholeCsvLayout(self.columns, self.encoding, self.separator, self.line_end, self.unusual)
        return replace(self, encoding=LATIN1) if undecoded else None

    def _decoded(self) -> list[Column]:
        """The fields, as UTF-8 where they can be. A record in which one cannot is corrupt."""
        fields = [quoted(name) for name in self.columns]
        lossy = ~F.is_valid_utf8(_utf8_of_latin1(F.concat_ws(",", *fields)))
        raw = F.to_csv(F.struct(*fields), {"sep": self.separator})
        corrupt = F.coalesce(F.col(CORRUPT_RECORD), F.when(lossy, raw))
        return [
            *[_decoded(field).alias(name) for field, name in zip(fields, self.columns, strict=True)],
            _decoded(corrupt).alias(CORRUPT_RECORD),
        ]


@dataclass(frozen=True)
class WholeCsvLayout(CsvFile):
    """CSV that may have unclosed quotes, mixed line ends, and bytes that are not UTF-8: only broken records are lost.

    A file is one string here. A pattern cuts it into records (see `CsvPattern`).
    above: how many lines stand above the header
    """

    above: int = 0

    @property
    def note(self) -> str:
        below = f"below {self.above} other lines" if self.above else ""
        return ", ".join(part for part in (self.unusual, below) if part)

    def read(self, spark: SparkSession, paths: Sequence[str]) -> DataFrame:
        files = read_text(spark, paths, wholetext=True)
        records = files.select(
            F.explode(self._records(F.col("value"))).alias("record"), SOURCE_FILE, SOURCE_MODIFIED_AT
        )
        parsed = records.withColumn("parsed", self._parsed(F.col("record")))
        broken = F.col("parsed").getField(CORRUPT_RECORD).isNotNull() | F.col("parsed").isNull()
        broken = broken | F.col("record").rlike(self._pattern.unclosed)
        if self.encoding != UTF16:
            broken = broken | ~F.is_valid_utf8(_utf8_of_latin1("record"))
        return parsed.select(
            *[
                self._value(F.col("parsed").getField(str(position))).alias(name)
                for position, name in enumerate(self.columns)
            ],
            F.when(broken, self._value(F.col("record"))).alias(CORRUPT_RECORD),
            SOURCE_FILE,
            SOURCE_MODIFIED_AT,
        )

    @property
    def _pattern(self) -> CsvPattern:
        return CsvPattern(self.separator, len(self.columns))

    def _records(self, content: Column) -> Column:
        """The records below the header. Read as Latin-1, which keeps every byte of UTF-8."""
        text = F.decode(content, UTF16 if self.encoding == UTF16 else LATIN1)
        text = F.regexp_replace(text, "^" + "\ufeff".encode().decode("latin-1"), "")
        if self.above:
            text = F.regexp_replace(text, rf"^(?:{A_LINE}){{{self.above}}}", "")
        records = F.regexp_extract_all(text, F.lit(self._pattern.record), F.lit(0))
        records = F.filter(records, lambda record: record != "")
        return F.slice(records, F.lit(2), F.size(records))

    def _parsed(self, record: Column) -> Column:
        """NULL where Spark's parser would fail."""
        schema = ", ".join(f"`{name}` string" for name in (*range(len(self.columns)), CORRUPT_RECORD))
        fields = F.length(record) - F.length(F.replace(record, F.lit(self.separator), F.lit(""))) + 1
        fits = (F.length(record) <= LONGEST_FIELD) & (fields <= MOST_COLUMNS)
        return F.from_csv(F.when(fits, record), schema, {**PARSING, "sep": self.separator, "lineSep": "\n"})

    def _value(self, text: Column) -> Column:
        """A text as the landed bytes have it; line ends of the file's own kind as one newline each."""
        decoded = text if self.encoding == UTF16 else _decoded(text)
        return decoded if self.line_end == "\n" else F.replace(decoded, F.lit(self.line_end), F.lit("\n"))


def _decoded(text: Column) -> Column:
    """A text that was read as Latin-1; as UTF-8 where its bytes are UTF-8."""
    return F.coalesce(F.try_validate_utf8(_utf8_of_latin1(text)), text)


def _utf8_of_latin1(text: Column | str) -> Column:
    """The landed bytes of a text that was read as Latin-1, as a text that may be invalid."""
    return F.encode(text, LATIN1).cast("string")


sniff_tsv = partial(sniff_csv, separator="\t")
SNIFFERS = {".csv": sniff_csv, ".csv.gz": sniff_csv, ".tsv": sniff_tsv, ".tsv.gz": sniff_tsv}
