"""The reference of the tables of a layer, for docs/: what a table's file declares of it, and what follows from that."""

from collections.abc import Iterable, Sequence

from medallion_assets.commands.text_table import markdown
from medallion_assets.contracts import BronzeTable, Column, GoldTable, Severity, SilverTable, Table
from medallion_assets.contracts.rules import Rule
from medallion_assets.orchestration.assets.specs import required_columns

CONSEQUENCES = {Severity.QUARANTINE: "quarantine", Severity.WARN: "lower score"}
"""What becomes of a row that breaks a rule of this severity."""


def table_reference(layer: str, tables: Sequence[Table]) -> str:
    """tables: those of all layers, which may read the tables of this one."""
    return "\n\n".join(_section(table, tables) for table in tables if table.layer == layer)


def linked(table: Table, folder: str = "") -> str:
    """The table's key, as a link to its section; folder: of the reference, as the page sees it."""
    return f"[`{table.key}`]({folder}{table.layer}.md#{table.name})"


def row_key(table: Table) -> tuple[str, ...]:
    """The columns of which no two rows have the same values: of facts, those of the silver rows they are."""
    if table.write.row_key or not isinstance(table, GoldTable):
        return table.write.row_key
    facts = table.inputs[0].write.row_key if table.inputs else ()
    return table.grain or (facts if set(facts) <= set(table.column_names) else ())


def _section(table: Table, tables: Sequence[Table]) -> str:
    parts = [
        f"## {table.name} {{#{table.name}}}",
        table.description,
        "\n".join(f"- {name}: {text}" for name, text in _facts(table, tables) if text),
        _columns(table),
        _rules(table.row_rules) if isinstance(table, SilverTable) else "",
    ]
    return "\n\n".join(part for part in parts if part)


def _facts(table: Table, tables: Sequence[Table]) -> Iterable[tuple[str, str]]:
    yield "Made of", _links(table.upstream)
    yield "Read by", _links(other for other in tables if table.key in {t.key for t in other.upstream})
    yield "Written by", f"`{type(table.write).__name__}`"
    yield "One row for each", _names(row_key(table))
    yield "Changes of a key in the order of", _names(table.write.sequence)
    yield "Partitioned by", _names([table.partition_column] if table.partition_column else [])
    if isinstance(table, BronzeTable):
        yield "Landing folder", f"`{table.landing_folder}`" if table.landing_folder else ""
    if isinstance(table, SilverTable):
        limit = table.quarantine_limit
        yield "A day is refused above", f"{limit:.0%} of its rows in quarantine" if limit < 1 else ""
    if isinstance(table, GoldTable):
        yield "Facts that count", "" if table.where == "true" else f"`{table.where}`"
        yield "Equal to its facts, day by day", _names(total.name for total in table.reconciled)
    yield "Owners", ", ".join(owner.removeprefix("team:") for owner in table.owners)
    yield (
        "Due",
        "" if table.due is None else f"{table.due.total_seconds() / 3600:g} hours after the day's end (UTC)",
    )


def _columns(table: Table) -> str:
    names = ("column", "type", "", "meaning", "from")
    return markdown(names, [_column(table, column) for column in table.stored_columns])


def _column(table: Table, column: Column) -> tuple[str, ...]:
    marks = {
        "key": column.name in row_key(table),
        "not null": column.name in required_columns(table),
        "personal": column.name in table.pii_columns,
    }
    declared = column in table.columns
    return (
        f"`{column.name}`",
        f"`{column.type}`",
        ", ".join(name for name, holds in marks.items() if holds),
        table.description_of(column) if declared else column.description,
        _origin(table, column) if declared else "",
    )


def _origin(table: Table, column: Column) -> str:
    if isinstance(table, GoldTable) and column.name in table.aggregates:
        return f"`{table.aggregates[column.name]}`"
    return _names(table.lineage_of(column))


def _rules(rules: Sequence[Rule]) -> str:
    names = ("rule", "a good row satisfies", "a broken row")
    return markdown(
        names, [(f"`{rule.name}`", f"`{rule.shown}`", CONSEQUENCES[rule.severity]) for rule in rules]
    )


def _links(tables: Iterable[Table]) -> str:
    return ", ".join(dict.fromkeys(map(linked, tables)))


def _names(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
