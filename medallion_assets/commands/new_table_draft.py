"""The first draft of a source's contracts and their test, by what its rows look like: for a person to finish."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

Rows = Sequence[Mapping[str, str | None]]

_TYPES = {
    "boolean": r"(?i:true|false)",
    "bigint": r"-?(0|[1-9]\d{0,17})",
    "decimal": r"-?(0|[1-9]\d{0,14})(\.\d{1,6})?",
    "date": r"\d{4}-\d\d-\d\d",
    "timestamp": r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?",
}
_EXAMPLES = {
    "boolean": "true",
    "bigint": "1",
    "decimal": "1.00",
    "date": "2026-01-01",
    "timestamp": "2026-01-01T10:00:00Z",
}
_IDENTIFIER = re.compile(r"(?i)(^|_)(id|key|code|no|zip|sku)$")
_PERSONAL = re.compile(r"(?i)e_?mail|phone|birth|(first|last|sur|full)_?name|street|address|iban")
FEW, ENOUGH = 12, 20
"""A text is one of few values if so many rows have at most so many."""


@dataclass(frozen=True)
class DraftColumn:
    """type: as a contract writes it; filled: every row has a value; values: all that occur, where they are few."""

    name: str
    type: str
    filled: bool
    values: tuple[str, ...] = ()
    is_negative: bool = False

    @property
    def is_personal(self) -> bool:
        return bool(_PERSONAL.search(self.name))

    @property
    def example(self) -> str:
        """A value that keeps the rules, and is nobody's."""
        return self.values[0] if self.values else _EXAMPLES.get(self.type.partition("(")[0], "a")


@dataclass(frozen=True)
class Draft:
    """A source with a bronze and a silver table."""

    name: str
    columns: tuple[DraftColumn, ...]
    keys: tuple[str, ...]
    sequence: tuple[str, ...] = ()

    def bronze(self) -> str:
        columns = [
            f"        Column({c.name!r}{', pii=True' if c.is_personal else ''})," for c in self.columns
        ]
        return _lines(
            f'"""Bronze {self.name}: every change as it landed."""',
            "",
            "from medallion_assets.contracts import BronzeTable, Column, Land",
            "",
            "TABLE = BronzeTable(",
            f"    name={self.name!r},",
            '    description="TODO: what a row is; as landed, every field is text.",',
            f"    write=Land({self.name!r}),",
            "    columns=(",
            *columns,
            "    ),",
            ")",
        )

    def silver(self) -> str:
        rules = list(self._rules())
        names = {"Column", "SilverTable", "Upsert", *(rule.partition("(")[0] for rule in rules)}
        names |= {"Severity"} if any("Severity" in rule for rule in rules) else set()
        typed = [
            f"        Column({c.name!r}{f', {c.type!r}' if c.type != 'string' else ''}),"
            for c in self.columns
        ]
        sequence = f", sequence_by={self.sequence!r}" if self.sequence else ""
        return _lines(
            f'"""Silver {self.name}: the latest state of each key."""',
            "",
            f"from medallion_assets.contracts import {', '.join(sorted(names, key=_as_ruff))}",
            f"from medallion_assets.tables.bronze import {self.name}",
            "",
            "TABLE = SilverTable(",
            f"    name={self.name!r},",
            '    description="TODO: what a row is.",',
            f"    inputs=({self.name}.TABLE,),",
            f"    write=Upsert(keys={self.keys!r}{sequence}),",
            "    columns=(",
            *typed,
            "    ),",
            "    # TODO: candidates, by what has landed so far. Those that must hold lose `Severity.WARN`.",
            "    rules=(",
            *(f"        {rule}," for rule in rules),
            "    ),",
            ")",
        )

    def test(self) -> str:
        row = {column.name: column.example for column in self.columns}
        return _lines(
            "from medallion_assets_tests.support.sample_lake import SampleLake",
            "",
            "",
            f"def test_{self.name}_are_typed_and_kept_by_key(shop: SampleLake):",
            f"    row = {row!r}",
            f'    shop.land({self.name!r}, "2026-01-01", "a.csv", [row, row])',
            f'    shop.materialize("2026-01-01", last="silver/{self.name}")',
            f"    keys = {self.keys!r}",
            f'    assert shop.rows("silver/{self.name}", *keys) == [tuple(row[key] for key in keys)]',
            f'    assert shop.rows("quarantine/{self.name}", *keys) == []',
        )

    def _rules(self) -> Iterator[str]:
        for column in self.columns:
            if column.name in (*self.keys, *self.sequence):
                continue
            if column.filled:
                yield f"not_null({column.name!r}, Severity.WARN)"
            if column.type.startswith(("bigint", "decimal")) and not column.is_negative:
                yield f"not_negative({column.name!r}, Severity.WARN)"
            if column.values:
                yield f"one_of({column.name!r}, {column.values!r}, Severity.WARN)"


def draft_columns(rows: Rows, keys: Sequence[str]) -> tuple[DraftColumn, ...]:
    """The columns of the rows, which are texts, in their order. Keys and identifiers stay text."""
    return tuple(_column(name, [row[name] for row in rows], name in keys) for name in rows[0])


def _column(name: str, landed: Sequence[str | None], is_key: bool) -> DraftColumn:
    values = [text.strip() for text in landed if text is not None and text.strip()]
    type_ = "string" if is_key or _IDENTIFIER.search(name) or not values else _type_of(values)
    few = sorted(set(values)) if type_ == "string" and len(values) >= ENOUGH and not is_key else []
    return DraftColumn(
        name=name,
        type=type_,
        filled=len(values) == len(landed),
        values=tuple(few) if len(few) <= FEW and not _PERSONAL.search(name) else (),
        is_negative=any(value.startswith("-") for value in values),
    )


def _type_of(values: Sequence[str]) -> str:
    found = next(
        (name for name, form in _TYPES.items() if all(re.fullmatch(form, value) for value in values)),
        "string",
    )
    if found != "decimal":
        return found
    return f"decimal(18,{max(2, *(len(value.partition('.')[2]) for value in values))})"


def _as_ruff(name: str) -> tuple[bool, str]:
    """Classes before functions."""
    return name[0].islower(), name


def _lines(*lines: str) -> str:
    return "\n".join(lines) + "\n"
