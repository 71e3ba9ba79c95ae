"""The header of a CSV file: which line it is, what separates its names, and why there is none.

Usually it is the first line, separated by commas. Where that line has none of the contract's columns, another reading
counts only if it has them all.
"""

import codecs
import csv
import gzip
import io
import json
import re
import zlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from medallion_assets.contracts.column_identity import column_key
from medallion_assets.lakehouse.landing.area import Content
from medallion_assets.lakehouse.landing.column_names import UnreadableFile, has_any, keys_of, none_of
from medallion_assets.lakehouse.landing.formats.layout import UTF8, UTF16, UTF16_BOMS

# A header is looked for in so many bytes; if it is not there, in more.
SNIFFED_BYTES = (2**13, 2**20)
MOST_COLUMNS = 20_480
"""As many as Spark takes."""

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}
LINE_END = re.compile(r"\r\n|\r|\n")
LINE = re.compile(r"([^\r\n]*)(?:\r\n|\r|\n)")
SEPARATOR_LINE = re.compile(r'"?sep=([,;\t|])"?[,;\t| ]*')
# What may stand above a header: nothing but blanks and separators, a comment, the line by which Excel is told.
ABOVE = re.compile(rf"[\s,;|]*|#.*|{SEPARATOR_LINE.pattern}")


@dataclass(frozen=True)
class Header:
    """The header of one file.

    names: as landed
    line_end: that of the first line
    above: how many lines stand above the header
    """

    names: tuple[str, ...]
    separator: str
    line_end: str
    above: int = 0


def read_header(file: Content, separator: str, required: Collection[str]) -> tuple[Header | None, str]:
    """The header, None where the file has nothing but blank lines; and the encoding.

    separator: the usual one. UnreadableFile if there is no well-formed header with one of the required columns.
    """
    problem: Exception = UnreadableFile("no line ends within its first MiB; land it with line ends")
    for size in SNIFFED_BYTES:
        content = _read(file, size + 1)
        is_whole = len(content) <= size
        encoding = UTF16 if content[:2] in UTF16_BOMS else UTF8
        try:
            text = _lines(content[:size], encoding, is_whole)
            header = _header(text, separator, required) if text.strip() else None
            if header or is_whole:
                return header, encoding
        except (csv.Error, UnicodeError) as error:
            problem = UnreadableFile(f"the header is not well-formed CSV ({error}); land it corrected")
        except UnreadableFile as error:
            problem = error
        if is_whole:
            break
    raise problem


def _lines(content: bytes, encoding: str, is_whole: bool) -> str:
    """The text, without a last line that may go on; bytes that are no UTF-8 escaped."""
    decoder = codecs.getincrementaldecoder("utf-16" if encoding == UTF16 else "utf-8-sig")
    text = decoder("surrogateescape").decode(content, final=is_whole)
    return text if is_whole else text[: max(text.rfind("\n"), text.rfind("\r", 0, -1)) + 1]


def _read(file: Content, size: int) -> bytes:
    with file.open() as opened:
        if not file.path.lower().endswith(".gz"):
            return opened.read(size)
        try:
            return gzip.GzipFile(fileobj=opened).read(size)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise UnreadableFile(f"it is no complete gzip file ({error}); land it again") from error


def _header(text: str, separator: str, required: Collection[str]) -> Header:
    found = LINE_END.search(text)
    line_end = found[0] if found else "\n"
    names, problem = (), None
    try:
        names = _names(text, separator)
    except csv.Error as error:  # of quotes, where something else separates the names
        problem = error
    declared = SEPARATOR_LINE.fullmatch(LINE_END.split(text, maxsplit=1)[0])
    if declared:
        usual = _names(_without(text, 1), declared[1])
        if usual and has_any(usual, required):
            return Header(usual, declared[1], line_end, above=1)
    elif names and has_any(names, required):
        return Header(names, separator, line_end)
    for above, other, candidate in _candidates(text) if required else ():
        if keys_of(candidate) >= set(map(column_key, required)):
            return Header(candidate, other, line_end, above)
    raise problem or UnreadableFile(f"{none_of(required)} in its first line: {_reason(text)}")


def _names(text: str, separator: str) -> tuple[str, ...]:
    """The first record that is no empty line. csv.Error, UnreadableFile if it is no header."""
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    names = tuple(map(_decoded, next((row for row in rows if row), [])))
    if any("\0" in name for name in names):
        raise UnreadableFile("the header holds NUL bytes; save the file as UTF-8")
    if len(names) > MOST_COLUMNS:
        raise UnreadableFile(
            f"its header has {len(names)} columns, Spark takes {MOST_COLUMNS}; split the file"
        )
    return names


def _decoded(name: str) -> str:
    """A name of the header; as Latin-1 where its bytes are not UTF-8."""
    landed = name.encode("utf-8", "surrogateescape")
    try:
        return landed.decode("utf-8")
    except UnicodeDecodeError:
        return landed.decode("latin-1")


def _candidates(text: str) -> Iterator[tuple[int, str, tuple[str, ...]]]:
    """Other readings: how many lines are above the header, the separator, the names."""
    above = 0
    for line in LINE.finditer(text):
        if not ABOVE.fullmatch(line[1]):
            break
        above += 1
    below = _without(text, above)
    for separator in SEPARATORS:
        try:
            yield above, separator, _names(below, separator)
        except (csv.Error, UnreadableFile):
            continue


def _without(text: str, lines: int) -> str:
    return re.sub(rf"\A(?:{LINE.pattern}){{{lines}}}", "", text)


def _reason(text: str) -> str:
    """What the file probably is, and how to fix it."""
    first = next(line for line in LINE_END.split(text) if line.strip()).strip()
    if first.startswith("<"):
        kind = "an HTML page" if re.match(r"<!doctype html|<html", first, re.IGNORECASE) else "XML"
        return f"it is {kind}; land the data"
    if first[0] in "{[":
        return f"it holds JSON{_json_ending(first)}"
    separator = max(SEPARATORS, key=first.count)
    if separator != "," and separator in first:
        return (
            f"it is separated by {SEPARATORS[separator]}, and has no header or one of other names; correct it"
        )
    return f"it has no header, or one of other names ({first[:80]!r}); add or correct it"


def _json_ending(first: str) -> str:
    try:
        json.loads(first)
    except ValueError:
        return "; name it .json"
    return " lines; name it .jsonl" if first.startswith("{") else "; name it .json"
