"""The syntax tree of a function of the repository, without what changes no result, and the values that it names."""

import ast
import inspect
import linecache
import sys
import sysconfig
from functools import lru_cache
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any, cast

_LIBRARIES = {sysconfig.get_paths()[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")}
_SILENT = {"ctx", "kind", "type_comment", "annotation", "returns", "type_params"}
"""Fields of a node that change nothing when the code runs."""


def is_own(value: Any, package: str) -> bool:
    """Whether a module, function or class is of `package`, or of a file that is in no library."""
    if isinstance(value, FunctionType):  # not its __module__, which a decorator may have copied
        name, file = value.__globals__.get("__name__"), value.__code__.co_filename
    else:
        name = value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", None)
        file = getattr(sys.modules.get(name or ""), "__file__", None)
    if not name or not file:
        return False
    if name.partition(".")[0] == package:
        return True
    path = Path(file).resolve()
    in_library = any(path.is_relative_to(library) for library in _LIBRARIES)
    return not in_library and not {"site-packages", "dist-packages"} & set(path.parts)


def definition(value: FunctionType | type) -> ast.AST:
    """The node that defines it; of a lambda all lambdas of its line. OSError where there is no source."""
    file = inspect.getsourcefile(value)
    if file is None:
        raise OSError(f"{value.__qualname__} has no source, without which its fingerprint cannot be told")
    linecache.checkcache(file)
    nodes = list(ast.walk(_parsed("".join(linecache.getlines(file)))))
    if isinstance(value, FunctionType):
        return _function(value, nodes)
    found = (node for node in nodes if isinstance(node, ast.ClassDef) and node.name == value.__name__)
    return next(found, ast.Constant(value.__name__))  # made by a call, as a named tuple is


def _function(value: FunctionType, nodes: list[ast.AST]) -> ast.AST:
    line, name = value.__code__.co_firstlineno, value.__code__.co_name
    if name == "<lambda>":
        return ast.Tuple([n for n in nodes if isinstance(n, ast.Lambda) and n.lineno == line], ast.Load())
    functions = (n for n in nodes if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef) and n.name == name)
    return next(f for f in functions if min(n.lineno for n in (f, *f.decorator_list)) == line)


@lru_cache
def _parsed(source: str) -> ast.Module:
    return ast.parse(source)


def normal(node: Any) -> Any:
    """The tree as nested tuples: no positions, comments, docstrings and annotations; alike in all Pythons."""
    if isinstance(node, list):
        nodes = cast(list[Any], node)
        return [normal(one) for one in nodes if not _is_text_alone(one)]
    if not isinstance(node, ast.AST):
        return repr(node)
    parts = [(name, value) for name, value in ast.iter_fields(node) if name not in _SILENT]
    return (type(node).__name__, [(n, normal(v)) for n, v in parts if v is not None and v != []])


def _is_text_alone(node: Any) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def named_values(value: FunctionType | type, tree: ast.AST, package: str) -> dict[str, Any]:
    """What the names in the code mean outside of it.

    Globals, variables of the functions around it, and attributes of own modules, as `rules.LIMIT`.
    A local variable of a global's name counts as that: rather once too often.
    """
    known = _surroundings(value)
    found: dict[str, Any] = {}
    for node in _without_annotations(tree):
        if isinstance(node, ast.Name) and node.id in known:
            found.setdefault(node.id, known[node.id])
        elif isinstance(node, ast.Attribute):
            path = _dotted(node)
            if path and path[0] in known:
                found |= _of_modules(known[path[0]], path, package)
    return found


def _surroundings(value: FunctionType | type) -> dict[str, Any]:
    if not isinstance(value, FunctionType):
        return vars(sys.modules.get(value.__module__, type(value)))
    cells = zip(value.__code__.co_freevars, value.__closure__ or (), strict=False)
    around = {}
    for name, cell in cells:
        try:
            around[name] = cell.cell_contents
        except ValueError:  # not assigned yet
            continue
    return {**value.__globals__, **around}


def _of_modules(value: Any, path: list[str], package: str) -> dict[str, Any]:
    """What a dotted name means, as far as it leads through own modules."""
    for depth, name in enumerate(path[1:], 2):
        if not (isinstance(value, ModuleType) and is_own(value, package) and hasattr(value, name)):
            return {}
        value = getattr(value, name)
        if not isinstance(value, ModuleType):
            return {".".join(path[:depth]): value}
    return {}


def _dotted(node: ast.AST) -> list[str]:
    """`a.b.c` as its names; empty where it does not begin with a name."""
    names: list[str] = []
    while isinstance(node, ast.Attribute):
        names.insert(0, node.attr)
        node = node.value
    return [node.id, *names] if isinstance(node, ast.Name) else []


def _without_annotations(node: ast.AST) -> list[ast.AST]:
    found = [node]
    for name, value in ast.iter_fields(node):
        if name not in _SILENT:
            below = cast(list[Any], value) if isinstance(value, list) else [value]
            found += [n for one in below if isinstance(one, ast.AST) for n in _without_annotations(one)]
    return found
