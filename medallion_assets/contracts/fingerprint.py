"""What of a contract can change a row, as one short text: rows of another fingerprint are stale.

`FIELDS` is the whole list. A class is known by its `kind`, not by its name, so that classes, modules and fields that
change no row can be renamed, added and removed freely. Whoever changes this list, or how a value is written down,
raises `VERSION`: every day of silver and gold is stale then, once.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import fields, is_dataclass
from datetime import date, time, timedelta
from decimal import Decimal
from enum import Enum
from functools import partial
from operator import attrgetter
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any, cast

from medallion_assets.contracts import syntax_tree

VERSION = 3

FIELDS: dict[str, tuple[str, ...]] = {
    "bronze": ("column_names", "write"),
    "silver": ("read_from", "columns", "nulls", "row_rules", "write", "transform"),
    "gold": ("input_keys", "columns", "grain", "aggregates", "write", "joins", "where", "transform"),
    "column": ("name", "type", "sources", "raw"),
    "rule": ("name", "predicate", "columns", "severity", "weight"),
    "land": ("source",),
    "follow_delta": ("url", "keys"),
    "follow_topic": ("topic", "payload"),
    "json": (),
    "debezium": (),
    "avro": ("holds",),
    "follow_table": ("connection", "table", "keys", "watermark", "overlap"),
    "upsert": ("keys", "sequence_by", "meaning", "order_of_files"),
    "scd2": ("keys", "sequence_by", "meaning", "order_of_files", "tracked"),
    "op": ("field", "deletes", "ignores", "upserts", "optional"),
    "file_order": ("first", "by"),
    "replace_day": ("column",),
    "replace_whole": (),
    "dimension": ("surrogate", "keys"),
    "extract": ("validated_by.key", "validated_by.fingerprint"),
    "join": ("table.key", "on", "columns", "key", "at", "followed"),
}
"""Kind -> the attributes that can change a row. `follow_table`: `tolerance` is in silver's rules."""

_REFERENCED = ("key", "columns")
"""Of a table that a transform names: its own rows are told by its own fingerprint."""

_PLAIN = (bool, int, float, complex, str, bytes, Decimal, date, time, timedelta, range, type(None), type(...))


def fingerprint_of(table: Any) -> str:
    """16 hexadecimal digits, the same in each process and on each machine."""
    told = _Teller(getattr(table.transform, "__module__", "") or "").told_object(table, FIELDS[table.kind])
    return hashlib.sha256(repr((VERSION, told)).encode()).hexdigest()[:16]


class _Teller:
    """Writes values down as nested tuples of text. What was told before is told as its number.

    The repository is the package of the transform, and whatever else lies neither in the standard library nor in
    site-packages: of the rest only the name counts.
    """

    def __init__(self, module: str):
        self.package = module.partition(".")[0]
        self.numbers: dict[int, int] = {}
        self.seen: list[Any] = []  # kept, since a number of memory is given again

    def told(self, value: Any) -> Any:
        if isinstance(value, Enum):
            return (value.name, self.told(value.value))
        if isinstance(value, _PLAIN):
            return (type(value).__name__, repr(value))
        if isinstance(value, re.Pattern):
            pattern = cast(re.Pattern[str], value)
            return ("pattern", repr(pattern.pattern), pattern.flags)
        if isinstance(value, Mapping):
            mapping = cast(Mapping[Any, Any], value)
            return ("mapping", [(self.told(key), self.told(one)) for key, one in mapping.items()])
        if isinstance(value, Set):
            members = cast(Set[Any], value)
            return ("set", sorted(map(self.told, members), key=repr))
        if isinstance(value, tuple | list):
            sequence = cast(Sequence[Any], value)
            return ("sequence", [self.told(one) for one in sequence])
        return self._once(value)

    def _once(self, value: Any) -> Any:
        """A value that may lead back to itself."""
        identity = id(value)
        if identity in self.numbers:
            return ("again", self.numbers[identity])
        self.numbers[identity] = len(self.numbers)
        self.seen.append(value)
        kind = getattr(value, "kind", None)
        if kind in FIELDS and is_dataclass(value):
            is_table = kind in ("bronze", "silver", "gold")
            return self.told_object(value, _REFERENCED if is_table else FIELDS[kind])
        return self._told_code(value)

    def told_object(self, value: Any, names: Iterable[str]) -> Any:
        return (value.kind, [self.told(attrgetter(name)(value)) for name in names])

    def _told_code(self, value: Any) -> Any:
        if isinstance(value, partial):
            return ("partial", self.told((value.func, value.args, value.keywords)))
        if isinstance(value, MethodType):
            return ("method", self.told((value.__self__, value.__func__)))
        if isinstance(value, ModuleType):
            return ("module", "" if syntax_tree.is_own(value, self.package) else value.__name__)
        if isinstance(value, FunctionType | BuiltinFunctionType | type) or hasattr(value, "__wrapped__"):
            return self._told_definition(value)
        return self._told_instance(value)

    def _told_definition(self, value: Any) -> Any:
        """A function or class: the repository's by its syntax tree and all that it names, others by name.

        A decorated one as it was written, and its decorator's wrapper.
        """
        inner = self.told(value.__wrapped__) if hasattr(value, "__wrapped__") else None
        if not syntax_tree.is_own(value, self.package):
            return (getattr(value, "__module__", None), getattr(value, "__qualname__", None), inner)
        tree = syntax_tree.definition(value)
        names = syntax_tree.named_values(value, tree, self.package)
        return (
            syntax_tree.normal(tree),
            inner,
            self.told((getattr(value, "__defaults__", None), getattr(value, "__kwdefaults__", None))),
            [(name, self.told(found)) for name, found in sorted(names.items())],
        )

    def _told_instance(self, value: Any) -> Any:
        kind = cast(type[Any], type(value))
        if is_dataclass(value):
            return ("fields", [(f.name, self.told(getattr(value, f.name))) for f in fields(value)])
        if syntax_tree.is_own(kind, self.package):
            return ("object", self.told(kind), self.told(getattr(value, "__dict__", {})))
        shown = "" if kind.__repr__ is object.__repr__ else re.sub(r" at 0x[0-9a-f]+", "", repr(value))
        return (kind.__module__, kind.__qualname__, shown)
