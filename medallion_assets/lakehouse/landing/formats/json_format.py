"""JSON: lines of objects, one array of objects, or one object over many lines; numbers keep their digits."""

import json
import os
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from operator import or_

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from medallion_assets.contracts.column_identity import column_key
from medallion_assets.contracts.technical_columns import CORRUPT_RECORD, SOURCE_FILE, SOURCE_MODIFIED_AT
from medallion_assets.lakehouse.landing.column_names import UnreadableFile, clean_name
from medallion_assets.lakehouse.landing.formats.layout import (
    LATIN1,
    MARK,
    UTF8,
    UTF16,
    UTF16_BOMS,
    WHOLE_BYTES,
    Layout,
    read_text,
)

SNIFFED_BYTES = 65_536
STRING = r'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
NUMBER = r"-?(?:(?:0|[1-9]\d*+)(?:\.\d++)?(?:[eE][+-]?\d++)?|Infinity)|NaN"
STRING_OR_NUMBER = rf"(?s)({STRING})|(?<![\w.+-])({NUMBER})(?![\w.+-])"
HEX = "[0-9a-fA-F]"
PAIR_OR_LONE = rf"(\\\\|\\u[dD][89abAB]{HEX}{{2}}\\u[dD][c-fC-F]{HEX}{{2}})|\\(u[dD][89a-fA-F]{HEX}{{2}})"
# Another noncharacter: around the escape of half a character, which no text can hold.
LONE = "\ufdd1"
# What ends the list of records: if it is not read, the text goes on where its records seem to end.
END = f'{{"{MARK}":""}}'


def sniff_json(path: str, required: Collection[str] = ()) -> Layout:
    """Lines, or a whole document, by the beginning of the file. UnreadableFile if it is too large for a document."""
    encoding, beginning = _beginning(path)
    return _layout(path, encoding, whole=_is_document(beginning))


def sniff_json_lines(path: str, required: Collection[str] = ()) -> Layout:
    """Lines, one object each. UnreadableFile if it is UTF-16 and too large to be one text."""
    return _layout(path, _beginning(path)[0], whole=False)


def _layout(path: str, encoding: str, whole: bool) -> Layout:
    if (whole or encoding == UTF16) and os.path.getsize(path) > WHOLE_BYTES:
        raise UnreadableFile("it is too large for one JSON document; land it as JSON lines in UTF-8")
    return JsonLayout(encoding, whole)


def _beginning(path: str) -> tuple[str, str]:
    with open(path, "rb") as file:
        beginning = file.read(SNIFFED_BYTES)
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
        shared = [_present(fields, keys) > 1 for keys in columns.values() if len(keys) > 1]
        doubtful = reduce(or_, shared, F.col("undecoded") | _has_duplicate_keys(fields) | F.col("halved"))
        raw = F.to_json(fields) if self.whole else F.col("text")
        return records.select(
            *[_value(fields, keys).alias(name) for name, keys in columns.items()],
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
        parsed = texts.withColumn("lists", _parsed(F.col("text"), self.whole))
        records = parsed.withColumn("fields", F.explode(F.coalesce(_complete(F.col("lists")), broken)))
        halved = _has_surrogates(F.col("text")) & F.contains(F.to_json("fields"), F.lit(LONE))
        return records.withColumn("halved", halved)

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


def _parsed(text: Column, whole: bool) -> Column:
    """Lists of the records of a text, the last one END; NULL if it is broken. Numbers are marked."""
    marked = with_marked_numbers(_without_halves(text))
    records = F.concat(F.lit("["), marked, F.lit("]"))
    if whole:
        records = F.when(text.rlike(r"^\s*\["), marked).otherwise(records)
    lists = F.concat(F.lit("["), records, F.lit(f",[{END}]]"))
    return F.from_json(lists, "array<array<map<string,string>>>", {"allowSingleQuotes": "false"})


def _complete(lists: Column) -> Column:
    """The records of all lists; NULL where the last list is not END."""
    last = F.try_element_at(F.try_element_at(lists, F.lit(-1)), F.lit(1))
    records = F.flatten(F.slice(lists, F.lit(1), F.size(lists) - 1))
    return F.when(F.map_contains_key(last, MARK), records)


def _has_surrogates(text: Column) -> Column:
    return F.contains(text, F.lit("\\ud")) | F.contains(text, F.lit("\\uD"))


def _without_halves(text: Column) -> Column:
    """A JSON text in which the escape of half a character is text, marked by LONE: Spark would make a `?` of it."""
    marked = F.regexp_replace(text, PAIR_OR_LONE, rf"$1{LONE}\\\\$2{LONE}")
    marked = F.replace(marked, F.lit(f"{LONE}\\\\{LONE}"), F.lit(""))
    return F.when(_has_surrogates(text), marked).otherwise(text)


def with_marked_numbers(text: Column) -> Column:
    """A JSON text whose numbers are strings, which `unmarked` takes back.

    Spark reads a number into text by way of a double, unless it is a string.
    """
    marked = F.regexp_replace(text, STRING_OR_NUMBER, f'$1"{MARK}$2{MARK}"')
    return F.replace(marked, F.lit(f'"{MARK}{MARK}"'), F.lit(""))


def unmarked(text: Column) -> Column:
    """A text or a field of JSON as it landed."""
    return F.regexp_replace(text, f'"?{MARK}"?|{LONE}', "")


def _columns(records: DataFrame) -> dict[str, list[str]]:
    """The landed keys of each column, in the order in which the files bring them."""
    keys = records.select(SOURCE_FILE, F.explode(F.map_keys("fields")).alias("key"))
    found = keys.groupBy("key").agg(F.min(SOURCE_FILE).alias("file")).orderBy("file", "key").collect()
    names: dict[str, str] = {}
    columns: dict[str, list[str]] = {}
    for row in found:
        name = clean_name(row["key"].replace(LONE, ""), position=0)
        columns.setdefault(names.setdefault(column_key(name), name), []).append(row["key"])
    return columns


def _value(fields: Column, keys: Sequence[str]) -> Column:
    return unmarked(F.coalesce(*[F.try_element_at(fields, F.lit(key)) for key in keys]))


def _present(fields: Column, keys: Sequence[str]) -> Column:
    """How many of the keys a record has."""
    return F.size(F.array_intersect(F.map_keys(fields), F.array(*[F.lit(key) for key in keys])))


def _has_duplicate_keys(fields: Column) -> Column:
    return F.size(F.map_keys(fields)) > F.size(F.array_distinct(F.map_keys(fields)))


SNIFFERS = {".json": sniff_json, ".jsonl": sniff_json_lines}
