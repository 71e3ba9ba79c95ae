"""What the data is. One file, one table: `TABLE` is its contract, `transform`, where there is one, its pure function.

A new file below this package is a new table: nothing else names it.
"""

import importlib
import pkgutil
from dataclasses import replace

from medallion_assets.contracts.table import Table


def find_tables() -> dict[str, Table]:
    """Every table below this package by its key (`layer/name`), in the order bronze, silver, gold.

    Raises ValueError where two files declare the same table.
    """
    found: dict[str, Table] = {}
    for layer in ("bronze", "silver", "gold"):
        package = importlib.import_module(f"{__name__}.{layer}")
        for info in sorted(pkgutil.iter_modules(package.__path__), key=lambda info: info.name):
            module = importlib.import_module(f"{package.__name__}.{info.name}")
            table = replace(module.TABLE, transform=getattr(module, "transform", None), file=module.__file__)
            if table.key in found:
                raise ValueError(f"{found[table.key].file} and {table.file} both declare {table.key}")
            found[table.key] = table
    return found
