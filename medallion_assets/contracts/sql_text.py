"""SQL as text: names and texts quoted, in this one place, and which columns an expression names."""

import re
from functools import cache

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from medallion_assets.errors import MedallionError

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_RESERVED = frozenset(
    re.findall(
        r"\w+",
        """
        all and any anti array as asc between both by case cast check collate collation column constraint create cross
        current_date current_time current_timestamp current_user date desc distinct else end escape except exists
        extract false fetch filter for foreign from full function grant group having in inner intersect interval into
        is join lateral leading left like ilike limit map minus natural not null offset on only or order outer
        overlaps primary references regexp right rlike select semi session_user set some struct table then time
        timestamp to trailing true union unique unknown user using when where window with within
        """,
    )
)
"""Words that mean something else than a column somewhere in Spark SQL."""


class SqlError(MedallionError):
    """The text is no SQL expression; the message says where it breaks off."""


def quoted_name(name: str) -> str:
    """The column of this name in SQL; a plain name stays as it is."""
    if _PLAIN.fullmatch(name) and name.lower() not in _RESERVED:
        return name
    return "`" + name.replace("`", "``") + "`"


def quoted_text(text: str) -> str:
    """A text as an SQL literal."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


@cache
def columns_of(sql: str) -> frozenset[tuple[str, ...]]:
    """The columns that an expression names: (name,), or (owner, name) as in `_landed.price`. SqlError if it is none."""
    return frozenset(
        tuple(part.name for part in column.parts) for column in expression(sql).find_all(exp.Column)
    )


@cache
def expression(sql: str) -> exp.Expr:
    """The syntax tree of one SQL expression as Spark reads it. SqlError if it is none, or more than that."""
    try:
        found = sqlglot.parse_one(sql, dialect="spark")
    except SqlglotError as error:
        raise SqlError(re.sub(r"\x1b\[\d+m", "", str(error)).splitlines()[0]) from error
    if isinstance(found, exp.Alias | exp.Block | exp.Query | exp.DDL):
        raise SqlError("it is no single expression")
    return found
