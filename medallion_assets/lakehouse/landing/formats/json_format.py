"""JSON: lines of objects, one array of objects, or one object over many lines; numbers keep their digits."""

import json
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from operator import or_

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from medallion_assets.contracts.technical_columns import CORRUPT_RECORD, SOURCE_FILE, SOURCE_MODIFIED_AT
from medallion_assets.lakehouse.landing.area import Content
from medallion_assets.lakehouse.landing.column_names import UnreadableFile
from medallion_assets.lakehouse.landing.formats.json_text import (
    columns_of,
    complete,
    field,
    has_duplicate_keys,
    is_halved,
    parsed,
    present,
    unmarked,
)
from medallion_assets.lakehouse.landing.formats.layout import (
    LATIN1,
    UTF8,
    UTF16,
    UTF16_BOMS,
    WHOLE_BYTES,
    Layout,
    read_text,
)

SNIFFED_BYTES = 65_536


def sniff_json(file: Content, required: Collection[str] = ()) -> Layout:
    """Lines, or a whole document, by the beginning of the file. UnreadableFile if it is too large for a document."""
    encoding, beginning = _beginning(file)
    return _layout(file, encoding, whole=_is_document(beginning))


def sniff_json_lines(file: Content, required: Collection[str] = ()) -> Layout:
    """Lines, one object each. UnreadableFile if it is UTF-16 and too large to be one text."""
    return _layout(file, _beginning(file)[0], whole=False)


def _layout(file: Content, encoding: str, whole: bool) -> Layout:
    if (whole or encoding == UTF16) and file.size > WHOLE_BYTES:
        raise UnreadableFile("it is too large for one JSON document; land it as JSON lines in UTF-8")
    return JsonLayout(encoding, whole)


def _beginning(file: Content) -> tuple[str, str]:
    with file.open() as opened:
        beginning = opened.read(SNIFFED_BYTES)
    if beginning[:2] in UTF16_BOMS:
        return UTF16, beginning.decode("utf-16", "replace").strip()
    return UTF8, beginning.decode("utf-8-sig", "replace").strip()


def _is_document(beginning: str) -> bool:
    first, *rest = [line for line in re.split(r"[\r\n]", beginning) if line.strip()] or [""]
    if not rest:
        return first.startswith("[")
    if _is_json(first):
        return False
    # A broken first line must not make a document of JSON lines: their other lines begin with a brace, too.
    return first.startswith("[") or not rest[0].lstrip().startswith("{")


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


@dataclass(frozen=True)
class JsonLayout(Layout):
    """JSON of one encoding; `whole` if a file is one document, else each line is a record."""

    encoding: str
    whole: bool
    columns: tuple[str, ...] = ()

    def read(self, spark: SparkSession, paths: Sequence[str]) -> DataFrame:
        records = self._records(spark, paths)
        columns = _columns(records)
        fields = F.col("fields")
        shared = [present(fields, keys) > 1 for keys in columns.values() if len(keys) > 1]
        doubtful = reduce(or_, shared, F.col("undecoded") | has_duplicate_keys(fields) | F.col("halved"))
        raw = F.to_json(fields) if self.whole else F.col("text")
        return records.select(
            *[field(fields, keys).alias(name) for name, keys in columns.items()],
            F.when(fields.isNull(), F.col("text")).when(doubtful, unmarked(raw)).alias(CORRUPT_RECORD),
            SOURCE_FILE,
            SOURCE_MODIFIED_AT,
        )

    def repaired(self, swallowed: bool, undecoded: bool, size: int) -> Layout | None:
        return replace(self, encoding=LATIN1) if undecoded and self.encoding == UTF8 else None

    def _records(self, spark: SparkSession, paths: Sequence[str]) -> DataFrame:
        """One row per record: its `text` and `fields` (NULL if broken), what was `undecoded` or `halved` in it."""
        texts = self._texts(spark, paths).where(F.col("text").rlike(r"\S"))
        broken = F.array(F.lit(None).cast("map<string,string>"))
        # Apart, so that the text is parsed once.
        lists = texts.withColumn("lists", parsed(F.col("text"), self.whole))
        records = lists.withColumn("fields", F.explode(F.coalesce(complete(F.col("lists")), broken)))
        return records.withColumn("halved", is_halved(F.col("text"), F.col("fields")))

    def _texts(self, spark: SparkSession, paths: Sequence[str]) -> DataFrame:
        # Spark cuts lines at bytes, which UTF-16 does not survive: take the file as one and cut it here.
        cut_here = self.encoding == UTF16 and not self.whole
        read = read_text(spark, paths, wholetext=self.whole or cut_here)
        text = F.regexp_replace(self._decoded(F.col("value")), "^\ufeff", "")
        return read.select(
            F.explode(F.split(text, r"[\r\n]+")).alias("text") if cut_here else text.alias("text"),
            self._undecoded(F.col("value")).alias("undecoded"),
            SOURCE_FILE,
            SOURCE_MODIFIED_AT,
        )

    def _decoded(self, value: Column) -> Column:
        if self.encoding == UTF16:
            return F.decode(value, UTF16)
        if self.encoding == LATIN1:
            return F.coalesce(F.try_validate_utf8(value.cast("string")), F.decode(value, LATIN1))
        return F.make_valid_utf8(value.cast("string"))

    def _undecoded(self, value: Column) -> Column:
        return ~F.is_valid_utf8(value.cast("string")) if self.encoding == LATIN1 else F.lit(False)


def _columns(records: DataFrame) -> dict[str, list[str]]:
    """The landed keys of each column, in the order in which the files bring them."""
    keys = records.select(SOURCE_FILE, F.explode(F.map_keys("fields")).alias("key"))
    found = keys.groupBy("key").agg(F.min(SOURCE_FILE).alias("file")).orderBy("file", "key").collect()
    return columns_of(row["key"] for row in found)


SNIFFERS = {".json": sniff_json, ".jsonl": sniff_json_lines}
