"""What the data is. One file, one table: `TABLE` is its contract, `transform`, where there is one, its pure function.

A new file below this package is a new table: nothing else names it.
"""

import importlib
import pkgutil
from dataclasses import replace
from itertools import product

from medallion_assets.contracts.table import Extract, Table

EXAMPLES = f"{__name__}.examples"


def find_tables(*others: str) -> dict[str, Table]:
    """Every table below this package, and below `others`, by its key (`layer/name`), each after its inputs.

    Raises ValueError where two files declare the same table.
    """
    found: dict[str, Table] = {}
    for layer, parent in product(("bronze", "silver", "gold"), (__name__, *others)):
        package = importlib.import_module(f"{parent}.{layer}")
        for info in sorted(pkgutil.iter_modules(package.__path__), key=lambda info: info.name):
            module = importlib.import_module(f"{package.__name__}.{info.name}")
            table = replace(module.TABLE, transform=getattr(module, "transform", None), file=module.__file__)
            if isinstance(table.write, Extract):  # with the transform of the silver table that it names
                table = replace(table, write=Extract(found[table.write.judged_by.key]))
            if table.key in found:
                raise ValueError(f"{found[table.key].file} and {table.file} both declare {table.key}")
            found[table.key] = table
    layers = ("bronze", "silver", "gold")
    return dict(sorted(found.items(), key=lambda one: (layers.index(one[1].layer), len(one[1].ancestors))))
