"""Refreshes the generated parts of docs/: the star schema's picture, the lists of tables and rules, the reference.

A part stands between `<!-- generated: NAME of TABLES -->` and `<!-- end -->`. TABLES are the keys of the tables that it
shows, so that it can be compared with just these: a table that no part shows yet makes no part stale.
"""

import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from medallion_assets.commands.table_reference import CONSEQUENCES, linked, row_key, table_reference
from medallion_assets.commands.text_table import markdown
from medallion_assets.contracts import Dimension, GoldTable, SilverTable, Table
from medallion_assets.tables import find_tables

DOCS = Path("docs")
LAYERS = ("bronze", "silver", "gold")
_PART = re.compile(r"<!-- generated: (\w+)(?: of ([\w/ ]+))? -->\n(.*?)<!-- end -->", re.DOTALL)


def main() -> int:
    if not DOCS.is_dir():
        print("There is no folder docs here: run `make docs` in the repository.", file=sys.stderr)
        return 1
    tables = find_tables()
    for path in sorted(DOCS.rglob("*.md")):
        page = path.read_text(encoding="utf-8")
        new = refreshed(page, tables)
        if new != page:
            path.write_text(new, encoding="utf-8")
            print(f"{path}: refreshed")
    return 0


def refreshed(page: str, tables: Mapping[str, Table]) -> str:
    """The page with each part as all the tables would have it."""
    return _PART.sub(lambda found: _part(found[1], PARTS[found[1]].tables_of(tables)), page)


def stale_parts(page: str, tables: Mapping[str, Table]) -> list[str]:
    """The names of the parts that differ from what the tables that they name would have them say."""
    return [
        name
        for name, keys, text in _PART.findall(page)
        if not keys or _shown(name, [tables[key] for key in keys.split() if key in tables]) != text
    ]


def unshown_tables(page: str, tables: Mapping[str, Table]) -> set[str]:
    """Keys of the tables that a part of the page would show, had it been refreshed since they were added."""
    parts = _PART.findall(page)
    return {
        t.key for name, keys, _ in parts for t in PARTS[name].tables_of(tables) if t.key not in keys.split()
    }


def star_schema(tables: Sequence[GoldTable]) -> str:
    """A picture of the gold tables: their columns, and by which columns they belong together."""
    keys = {table.key for table in tables}
    lines = [line for table in tables for line in _relations(table, keys)]
    for table in tables:
        lines += [f"{table.name} {{", *(f"    {line}" for line in _attributes(table)), "}"]
    return "\n".join(["```mermaid", "erDiagram", *(f"    {line}" for line in lines), "```"])


def table_list(tables: Sequence[Table]) -> str:
    return markdown(
        ("table", "holds", "written by", "one row for each", "made of"),
        [
            (
                linked(table, "reference/"),
                table.description,
                f"`{type(table.write).__name__}`",
                ", ".join(row_key(table)),
                ", ".join(linked(upstream, "reference/") for upstream in table.upstream),
            )
            for table in tables
        ],
    )


def rule_list(tables: Sequence[SilverTable]) -> str:
    return markdown(
        ("table", "rule", "a good row satisfies", "a broken row"),
        [
            (f"`{table.key}`", f"`{rule.name}`", f"`{rule.shown}`", CONSEQUENCES[rule.severity])
            for table in tables
            for rule in table.row_rules
        ],
    )


@dataclass(frozen=True)
class Part:
    """A generated part of the documents: which kind of tables it is about, and its text."""

    shows: type[Table]
    made: Callable[[Sequence[Any]], str]

    def tables_of(self, tables: Mapping[str, Table]) -> list[Table]:
        return [table for table in tables.values() if isinstance(table, self.shows)]


PARTS = {
    "star_schema": Part(GoldTable, star_schema),
    "tables": Part(Table, table_list),
    "rules": Part(SilverTable, rule_list),
    **{f"{layer}_reference": Part(Table, partial(table_reference, layer)) for layer in LAYERS},
}


def _part(name: str, tables: Sequence[Table]) -> str:
    keys = " ".join(table.key for table in tables)
    return f"<!-- generated: {name} of {keys} -->\n{_shown(name, tables)}<!-- end -->"


def _shown(name: str, tables: Sequence[Table]) -> str:
    return f"\n{PARTS[name].made(tables)}\n\n"


def _relations(table: GoldTable, keys: set[str]) -> Iterable[str]:
    for join, surrogate in _foreign_keys(table).items():
        if join in keys:
            yield f"{join.partition('/')[2]} ||--o{{ {table.name} : {_plain(surrogate)}"
    if table.measures and table.inputs and table.inputs[0].key in keys:
        end = "||" if table.where == "true" else "|o"  # with a filter a fact may belong to no row
        yield f'{table.name} {end}--o{{ {table.inputs[0].name} : "{", ".join(table.grain)}"'


def _foreign_keys(table: GoldTable) -> dict[str, str]:
    """Dimension -> its surrogate key, of those that the table carries."""
    dimensions = {join.table.key: join.table.write for join in table.joins}
    return {
        key: write.surrogate
        for key, write in dimensions.items()
        if isinstance(write, Dimension) and write.surrogate in table.column_names
    }


def _attributes(table: GoldTable) -> Iterable[str]:
    primary, foreign = row_key(table), _foreign_keys(table).values()
    for column in table.columns:
        mark = " PK" if column.name in primary else " FK" if column.name in foreign else ""
        yield f"{re.split(r'[^a-z]', column.type.lower())[0]} {_plain(column.name)}{mark}"


def _plain(name: str) -> str:
    """The picture's language knows no other letters."""
    return re.sub(r"[^A-Za-z0-9_]", "_", name)


if __name__ == "__main__":
    sys.exit(main())
