"""Whether the fields of a declaration have the Python types that their classes say."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from types import ModuleType, NoneType, UnionType
from typing import Any, Union, cast, get_args, get_origin, get_type_hints

from medallion_assets.contracts.table import Table


def misfits(declared: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """(field, what is wrong) of a dataclass and of those within, but for other tables, which are checked themselves."""
    hints = _hints(cast(type[Any], type(declared)))
    for field in fields(declared):
        yield from _misfit(getattr(declared, field.name), hints[field.name], f"{path}{field.name}")


@cache
def _hints(kind: type) -> Mapping[str, Any]:
    return get_type_hints(kind)


def _misfit(value: Any, hint: Any, path: str) -> Iterator[tuple[str, str]]:
    if get_origin(hint) is tuple:
        yield from _of_tuple(value, get_args(hint)[0], path)
    elif not _fits(value, hint):
        yield path, f"{_shown(value)}, where {_due(hint)} is due"
    elif is_dataclass(value) and not isinstance(value, Table):
        yield from misfits(value, f"{path}.")
    elif isinstance(value, tuple):
        part = next(get_args(one)[0] for one in get_args(hint) if get_origin(one) is tuple)
        yield from _of_tuple(value, part, path)


def _of_tuple(value: Any, part: Any, path: str) -> Iterator[tuple[str, str]]:
    if not isinstance(value, tuple):
        example = f"({value!r},)" if isinstance(value, str) else "(..., ) around it"
        yield path, f"{_shown(value)}, where a tuple is due; write {example}"
        return
    parts = cast(tuple[Any, ...], value)
    for i, one in enumerate(parts):
        yield from _misfit(one, part, f"{path}[{i}]")


def _fits(value: Any, hint: Any) -> bool:
    if hint is Any:
        return True
    origin = get_origin(hint)
    if origin in (Union, UnionType):
        return any(_fits(value, one) for one in get_args(hint))
    if origin is dict:
        items = cast(dict[Any, Any], value) if isinstance(value, dict) else {0: 0}
        return all(isinstance(x, str) for pair in items.items() for x in pair)
    if hint in (int, float):
        return isinstance(value, int | hint) and not isinstance(value, bool)
    if origin in (tuple, Callable):
        return callable(value) if origin is Callable else isinstance(value, tuple)
    return isinstance(value, hint)


def _shown(value: Any) -> str:
    if isinstance(value, ModuleType):
        return f"{value.__name__} is a module: its table is {value.__name__.rpartition('.')[2]}.TABLE"
    if isinstance(value, Table):
        return f"{value.key} is a {type(value).__name__}"
    return f"{value!r} is a {'text' if isinstance(value, str) else type(value).__name__}"


def _due(hint: Any) -> str:
    names = {str: "a text", NoneType: "None", int: "a whole number", float: "a number"}
    if get_origin(hint) in (Union, UnionType):
        return " or ".join(_due(one) for one in get_args(hint))
    origin = get_origin(hint)
    if origin in (tuple, dict, Callable):
        return {tuple: "a tuple", dict: "a dict of texts"}.get(origin, "a function")
    return names.get(hint, f"a {hint.__name__}")
