"""What the data is. One file, one table: `TABLE` is its contract, `transform`, where there is one, its pure function.

A new file below this package is a new table: nothing else names it.
"""

import importlib
import pkgutil
import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path
from types import ModuleType

from medallion_assets.contracts import Extract, Table
from medallion_assets.contracts.declaration import check

EXAMPLES = f"{__name__}.examples"
CDC_EXAMPLES = f"{EXAMPLES}.cdc"
LAYERS = ("bronze", "silver", "gold")


def find_tables(*others: str) -> dict[str, Table]:
    """Every table below this package, and below `others`, by its key (`layer/name`), each after its inputs.

    DeclarationError with a line for each fault of all their declarations.
    """
    parents = (__name__, *others)
    found: dict[str, Table] = {}
    faults = [fault for parent in parents for fault in _misplaced(parent)]
    for layer, parent in product(LAYERS, parents):
        for module in _modules(f"{parent}.{layer}"):
            file, table = str(module.__file__), getattr(module, "TABLE", None)
            if not isinstance(table, Table):
                faults.append(
                    f"{_shown(file)}: TABLE: it declares none; write TABLE = {layer.title()}Table(...)"
                )
                continue
            table = _complete(table, module, found)
            if table.key in found:
                faults.append(
                    f"{_shown(file)}: name: {_shown(found[table.key].file)} declares {table.key}, too"
                )
                continue
            found[table.key] = table
    check(list(found.values()), faults)
    return dict(sorted(found.items(), key=lambda one: (LAYERS.index(one[1].layer), len(one[1].ancestors))))


def _modules(package: str) -> Iterator[ModuleType]:
    """The modules of a layer but those that begin with `_`, which files of tables may share."""
    path = importlib.import_module(package).__path__
    for name in sorted(info.name for info in pkgutil.iter_modules(path) if not info.ispkg):
        if not name.startswith("_"):
            yield importlib.import_module(f"{package}.{name}")


def _complete(table: Table, module: ModuleType, found: dict[str, Table]) -> Table:
    """With its file and transform; an extract with the transform of the silver table that it names."""
    if isinstance(table.write, Extract) and isinstance(table.write.validated_by, Table):
        contract = found.get(table.write.validated_by.key, table.write.validated_by)
        table = replace(table, write=replace(table.write, validated_by=contract))
    return replace(table, transform=getattr(module, "transform", None), file=str(module.__file__))


def _misplaced(parent: str) -> Iterator[str]:
    """Files with a table outside of the folders of the layers, where nothing would find it."""
    root = Path(str(importlib.import_module(parent).__file__)).parent
    for file in sorted(root.rglob("*.py")):
        folders = file.relative_to(root).parts[:-1]
        is_other = folders[:1] == (("examples",) if parent == __name__ else ("cdc",))
        if folders in [(layer,) for layer in LAYERS] or is_other:
            continue
        if re.search(r"^TABLE\b", file.read_text(), re.MULTILINE):
            yield f"{_shown(str(file))}: layer: it is in none of the folders {', '.join(LAYERS)}; move it to one"


def _shown(file: str) -> str:
    parts = Path(file).parts
    return "/".join(parts[parts.index("tables") :])
