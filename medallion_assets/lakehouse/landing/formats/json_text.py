"""JSON texts as their records: maps of text whose numbers keep their digits. Whatever is no JSON is no record.

How a file is cut into texts belongs to `json_format.py`, how a message is read to `landing/messages.py`.
"""

from collections.abc import Iterable, Sequence

from pyspark.sql import Column
from pyspark.sql import functions as F

from medallion_assets.contracts.column_identity import column_key
from medallion_assets.lakehouse.landing.column_names import clean_name
from medallion_assets.lakehouse.landing.formats.layout import MARK

STRING = r'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
NUMBER = r"-?(?:(?:0|[1-9]\d*+)(?:\.\d++)?(?:[eE][+-]?\d++)?|Infinity)|NaN"
STRING_OR_NUMBER = rf"(?s)({STRING})|(?<![\w.+-])({NUMBER})(?![\w.+-])"
HEX = "[0-9a-fA-F]"
PAIR_OR_LONE = rf"(\\\\|\\u[dD][89abAB]{HEX}{{2}}\\u[dD][c-fC-F]{HEX}{{2}})|\\(u[dD][89a-fA-F]{HEX}{{2}})"
# Another noncharacter: around the escape of half a character, which no text can hold.
LONE = "\ufdd1"
# What ends the list of records: if it is not read, the text goes on where its records seem to end.
END = f'{{"{MARK}":""}}'


def parsed(text: Column, whole: bool) -> Column:
    """Lists of the records of a text, the last one END; NULL if it is broken. Numbers are marked."""
    marked = with_marked_numbers(_without_halves(text))
    records = F.concat(F.lit("["), marked, F.lit("]"))
    if whole:
        records = F.when(text.rlike(r"^\s*\["), marked).otherwise(records)
    lists = F.concat(F.lit("["), records, F.lit(f",[{END}]]"))
    return F.from_json(lists, "array<array<map<string,string>>>", {"allowSingleQuotes": "false"})


def complete(lists: Column) -> Column:
    """The records of all lists; NULL where the last list is not END."""
    last = F.try_element_at(F.try_element_at(lists, F.lit(-1)), F.lit(1))
    records = F.flatten(F.slice(lists, F.lit(1), F.size(lists) - 1))
    return F.when(F.map_contains_key(last, MARK), records)


def _has_surrogates(text: Column) -> Column:
    return F.contains(text, F.lit("\\ud")) | F.contains(text, F.lit("\\uD"))


def is_halved(text: Column, fields: Column) -> Column:
    """Whether a value of the record has the escape of half a character."""
    return _has_surrogates(text) & F.contains(F.to_json(fields), F.lit(LONE))


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


def columns_of(keys: Iterable[str]) -> dict[str, list[str]]:
    """The keys of each column, whose name is that of the first."""
    names: dict[str, str] = {}
    columns: dict[str, list[str]] = {}
    for key in keys:
        name = clean_name(key.replace(LONE, ""), position=0)
        columns.setdefault(names.setdefault(column_key(name), name), []).append(key)
    return columns


def field(fields: Column, keys: Sequence[str]) -> Column:
    return unmarked(F.coalesce(*[F.try_element_at(fields, F.lit(key)) for key in keys]))


def present(fields: Column, keys: Sequence[str]) -> Column:
    """How many of the keys a record has."""
    return F.size(F.array_intersect(F.map_keys(fields), F.array(*[F.lit(key) for key in keys])))


def has_duplicate_keys(fields: Column) -> Column:
    return F.size(F.map_keys(fields)) > F.size(F.array_distinct(F.map_keys(fields)))
