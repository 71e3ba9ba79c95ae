"""Row rules: a name and the SQL predicate that a good row satisfies.

A predicate sees the typed columns of the table, and the text as landed under `_landed.<column>`. NULL counts as broken.
Rules over many rows (uniqueness, totals) are table checks, not row rules.
"""

import re
import zlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import ClassVar

from medallion_assets.contracts.column import Column
from medallion_assets.contracts.key_text import normal_key
from medallion_assets.contracts.sql_text import columns_of, quoted_name, quoted_text
from medallion_assets.contracts.sql_types import base_type

NULL_WORDS = ("NULL", "null", "Null", r"\N", "N/A", "n/a", "#N/A", "None", "NaN", "nan", "NAN", "NaT", "<NA>")
"""What databases, spreadsheets and pandas write for a missing value."""


class Severity(Enum):
    """What happens to a row that breaks the rule."""

    QUARANTINE = "quarantine"
    WARN = "warn"


@dataclass(frozen=True)
class Rule:
    """`predicate` is Spark SQL over one row; `columns` are the columns that it judges; `weight` counts in the score.

    name: also that of the rule's check, so letters, digits and underscores alone
    """

    name: str
    predicate: str
    columns: tuple[str, ...]
    severity: Severity = Severity.QUARANTINE
    weight: int = 1

    kind: ClassVar[str] = "rule"

    def names_only(self, columns: Collection[str]) -> bool:
        """Whether it can be asked of rows with these columns: nothing of what landed is in it."""
        return all(path[0] in columns for path in columns_of(self.predicate))

    @property
    def shown(self) -> str:
        """The predicate as people are told it: its beginning, where it is long."""
        return self.predicate if len(self.predicate) <= 200 else f"{self.predicate[:199]}…"


def word(column: str) -> str:
    """A column's name as part of a check's name: what is no letter, digit or underscore of ASCII becomes `_`.

    A hash tells such names apart: `order-id` and `order.id` are two columns.
    """
    plain = re.sub(r"[^A-Za-z0-9_]", "_", column)
    return plain if plain == column else f"{plain}_{zlib.crc32(column.encode()):08x}"


def not_null(column: str, severity: Severity = Severity.QUARANTINE) -> Rule:
    return Rule(f"{word(column)}_not_null", f"{quoted_name(column)} IS NOT NULL", (column,), severity)


def is_typed(column: str, sql_type: str, nulls: Sequence[str] = ()) -> Rule:
    """The landed text, where there is any, could be read as the column's type. `nulls`: texts that stand for none."""
    name, landed = quoted_name(column), f"trim({_landed(column)})"
    predicate = f"{name} IS NOT NULL OR nullif({landed}, '') IS NULL"
    predicate += f" OR {landed} IN ({_texts(nulls)})" if nulls else ""
    return Rule(f"{word(column)}_is_{base_type(sql_type)}", predicate, (column,))


def not_negative(column: str, severity: Severity = Severity.QUARANTINE) -> Rule:
    """Judged on the landed text, before rounding, so that -0.001 does not pass as 0.00."""
    predicate = f"{quoted_name(column)} IS NULL OR try_cast({_landed(column)} AS DOUBLE) >= 0"
    return Rule(f"{word(column)}_not_negative", predicate, (column,), severity)


def at_most_decimals(column: str, decimals: int, severity: Severity = Severity.WARN) -> Rule:
    """The landed number has no non-zero digit after `decimals` places, so that typing rounded nothing."""
    number = f"try_cast({_landed(column)} AS DECIMAL(38, 18))"
    predicate = f"{quoted_name(column)} IS NULL OR coalesce({number} = round({number}, {decimals}), false)"
    return Rule(f"{word(column)}_at_most_{decimals}_decimals", predicate, (column,), severity)


def not_in_future(column: str, tolerance: timedelta) -> Rule:
    """Not further ahead of the time when the row was landed than the tolerance; NULL is left to `not_null`."""
    name = quoted_name(column)
    latest = f"_ingestion_timestamp + INTERVAL {int(tolerance.total_seconds())} SECONDS"
    return Rule(f"{word(column)}_not_in_future", f"{name} IS NULL OR {name} <= {latest}", (column,))


def keys_as_landed(columns: Sequence[str]) -> Rule:
    """No key landed in another spelling than the one that is stored (see `key_text`); blanks are left to `not_null`."""
    same = [f"coalesce({_landed(c)} = {normal_key(_landed(c))}, true)" for c in columns]
    return Rule("keys_as_landed", " AND ".join(same), tuple(columns), Severity.WARN, weight=0)


def no_null_words(columns: Sequence[str]) -> Rule:
    """No text is a word that programs write where a value is missing (see `NULL_WORDS`)."""
    texts = ", ".join(f"trim({quoted_name(column)})" for column in columns)
    predicate = f"coalesce(NOT arrays_overlap(array({texts}), array({_texts(NULL_WORDS)})), true)"
    return Rule("no_null_words", predicate, tuple(columns), Severity.WARN, weight=0)


def times_as_meant(columns: Sequence[Column]) -> Rule:
    """Each date or time is within 1900 to 2200, or one of the column's sentinels."""
    tests = [f"coalesce({_is_usual(column)}, true)" for column in columns]
    names = tuple(column.name for column in columns)
    return Rule("times_as_meant", " AND ".join(tests), names, Severity.WARN, weight=0)


def _is_usual(column: Column) -> str:
    name = quoted_name(column.name)
    usual = f"{name} >= DATE'1900-01-01' AND {name} < DATE'2201-01-01'"
    meant = ", ".join(f"CAST({quoted_text(text)} AS {column.type})" for text in column.sentinels)
    return f"({usual}) OR {name} IN ({meant})" if meant else usual


def between(column: str, low: str, high: str, severity: Severity = Severity.QUARANTINE) -> Rule:
    """`low` and `high` are SQL literals, both included; NULL is left to `not_null`."""
    name = quoted_name(column)
    predicate = f"{name} IS NULL OR ({name} >= {low} AND {name} <= {high})"
    return Rule(f"{word(column)}_between", predicate, (column,), severity)


def one_of(column: str, values: Iterable[str], severity: Severity = Severity.QUARANTINE) -> Rule:
    """NULL is none of the values."""
    listed = _texts(map(str, values))
    return Rule(f"{word(column)}_one_of", f"{quoted_name(column)} IN ({listed})", (column,), severity)


def matches(column: str, pattern: str, severity: Severity = Severity.QUARANTINE) -> Rule:
    """`pattern` is a regular expression that must match somewhere; NULL is left to `not_null`."""
    name = quoted_name(column)
    text = quoted_text(pattern) if "'" in pattern else f"r'{pattern}'"
    return Rule(f"{word(column)}_matches", f"{name} IS NULL OR {name} RLIKE {text}", (column,), severity)


def _texts(values: Iterable[str]) -> str:
    return ", ".join(map(quoted_text, values))


def _landed(column: str) -> str:
    return f"_landed.{quoted_name(column)}"
