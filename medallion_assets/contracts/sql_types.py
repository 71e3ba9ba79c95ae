"""The SQL types of Spark that Delta can store: their grammar, and one way to write each."""

import re

from medallion_assets.errors import MedallionError

_NAMES = {
    "boolean": "boolean", "tinyint": "tinyint", "byte": "tinyint", "smallint": "smallint", "short": "smallint",
    "int": "int", "integer": "int", "bigint": "bigint", "long": "bigint", "float": "float", "real": "float",
    "double": "double", "date": "date", "timestamp": "timestamp", "timestamp_ltz": "timestamp",
    "timestamp_ntz": "timestamp_ntz", "string": "string", "binary": "binary", "variant": "variant",
}  # fmt: skip
_DECIMALS = ("decimal", "dec", "numeric")
_MOST_DIGITS = 38
_TOKEN = re.compile(r"\s*(`(?:[^`]|``)+`|'(?:[^'\\]|\\.)*'|\w+|[<>(),:])\s*")
NUMBERS = ("tinyint", "smallint", "int", "bigint", "float", "double", "decimal")


class NoSuchType(MedallionError):
    """The text is no type of Spark that Delta can store."""


def normal_type(text: str) -> str:
    """`DEC(18, 2)` -> `decimal(18,2)`, `array< LONG >` -> `array<bigint>`. NoSuchType where it is none.

    char and varchar are strings, as they are to Spark's casts.
    """
    reader = _Reader(text)
    found = reader.type()
    if reader.tokens:
        raise NoSuchType(f"{text!r} goes on after the type {found}")
    return found


def base_type(text: str) -> str:
    """The type without its parameters: `decimal(18,2)` -> `decimal`."""
    return re.split(r"[(<]", text, maxsplit=1)[0]


class _Reader:
    """Reads a type token by token."""

    def __init__(self, text: str):
        self.text = text
        self.tokens = _TOKEN.findall(text)
        if _TOKEN.sub("", text):
            raise NoSuchType(f"{text!r} is no type of Spark's SQL")

    def type(self) -> str:
        name = self._next().lower()
        if name in _NAMES:
            return _NAMES[name]
        if name in _DECIMALS:
            return self._decimal()
        if name in ("char", "character", "varchar"):
            self._numbers(1, 1)
            return "string"
        if name in ("array", "map", "struct"):
            return self._nested(name)
        raise NoSuchType(f"{self.text!r} is no type of Spark's SQL")

    def _decimal(self) -> str:
        numbers = self._numbers(1, 2) if self._is_next("(") else [10]
        digits, scale = numbers if len(numbers) == 2 else (numbers[0], 0)
        if not (1 <= digits <= _MOST_DIGITS and 0 <= scale <= digits):
            raise NoSuchType(
                f"{self.text!r}: a decimal has 1 to {_MOST_DIGITS} digits, and no more after its point"
            )
        return f"decimal({digits},{scale})"

    def _numbers(self, least: int, most: int) -> list[int]:
        """`(18, 2)` as numbers."""
        self._take("(")
        found = [self._number()]
        while self._is_next(","):
            self._take(",")
            found.append(self._number())
        self._take(")")
        if not least <= len(found) <= most:
            raise NoSuchType(f"{self.text!r} has {len(found)} numbers in parentheses")
        return found

    def _number(self) -> int:
        token = self._next()
        if not token.isdecimal():
            raise NoSuchType(f"{self.text!r}: {token!r} is no number")
        return int(token)

    def _nested(self, name: str) -> str:
        self._take("<")
        part = self._field if name == "struct" else self.type
        parts = [part()]
        while self._is_next(","):
            self._take(",")
            parts.append(part())
        self._take(">")
        if len(parts) != {"array": 1, "map": 2}.get(name, len(parts)):
            raise NoSuchType(f"{self.text!r}: {name} has {'one type' if name == 'array' else 'two types'}")
        return f"{name}<{','.join(parts)}>"

    def _field(self) -> str:
        name = self._next()
        if self._is_next(":"):
            self._take(":")
        found = f"{name}:{self.type()}"
        if self._is_next("not"):
            self._take("not")
            self._take("null")
        if self._is_next("comment"):
            self._take("comment")
            self._next()
        return found

    def _is_next(self, token: str) -> bool:
        return bool(self.tokens) and self.tokens[0].lower() == token

    def _next(self) -> str:
        if not self.tokens:
            raise NoSuchType(f"{self.text!r} is no whole type")
        return self.tokens.pop(0)

    def _take(self, token: str) -> None:
        found = self._next()
        if found.lower() != token:
            raise NoSuchType(f"{self.text!r} has {found!r} where {token!r} is due")
