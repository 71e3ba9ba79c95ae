"""Checks what table files declare, when the repository is loaded: without Spark, and all faults at once.

One line a fault: `tables/gold/daily_sales.py: joins[0].on: 'custmer_key' is no column of gold/fact_orders; name one
of: ...`, that is file, field, what is wrong and how to mend it. What is checked of all tables is in `common`, of their
fields' Python types in `fields`, of a layer in the module of its name. How rows come out is no matter of this package.
"""

from collections.abc import Collection, Iterator
from pathlib import Path

from medallion_assets.contracts.declaration import bronze, common, gold, silver
from medallion_assets.contracts.declaration.fields import misfits
from medallion_assets.contracts.gold import GoldTable
from medallion_assets.contracts.silver import SilverTable
from medallion_assets.contracts.table import Table
from medallion_assets.errors import MedallionError


class DeclarationError(MedallionError):
    """Table files declare what cannot be. `faults` has one line for each."""

    def __init__(self, faults: Collection[str]):
        self.faults = tuple(faults)
        super().__init__(f"{len(faults)} faults in the declarations of tables:\n" + "\n".join(faults))


def check(tables: Collection[Table], misplaced: Collection[str] = ()) -> None:
    """DeclarationError if a table cannot be as it is declared. `misplaced`: faults that the caller has found."""
    known = {table.key for table in tables}
    of_fields: _OfFields = {}
    lines = (line for table in tables for line in _lines(table, known, of_fields))
    if faults := [*misplaced, *lines]:
        raise DeclarationError(faults)


_OfFields = dict[int, list[tuple[str, str]]]
"""id of a table -> its fields that have a wrong type: told once, since a table is an input of many."""


def _lines(table: Table, known: Collection[str], of_fields: _OfFields) -> Iterator[str]:
    """One line for each fault of a table. `known`: the keys of all tables of the repository."""
    found = _of_types(table, of_fields)
    if not found and _is_sound(table, of_fields):
        found = [*common.faults(table, known), *_of_layer(table)]
    for field, fault in found:
        yield f"{shown_file(table)}: {field}: {fault}"


def _of_types(table: Table, of_fields: _OfFields) -> list[tuple[str, str]]:
    if id(table) not in of_fields:
        of_fields[id(table)] = list(misfits(table))
    return of_fields[id(table)]


def _is_sound(table: Table, of_fields: _OfFields) -> bool:
    """Whether all that it is made of has fields of the right types, so that it can be asked."""
    return not _of_types(table, of_fields) and all(_is_sound(one, of_fields) for one in table.upstream)


def _of_layer(table: Table) -> common.Faults:
    if isinstance(table, SilverTable):
        return silver.faults(table)
    return gold.faults(table) if isinstance(table, GoldTable) else bronze.faults(table)


def shown_file(table: Table) -> str:
    """The table's file from the folder `tables` on; its key where it has none."""
    parts = Path(table.file).parts
    return "/".join(parts[parts.index("tables") :]) if "tables" in parts else table.file or table.key
