"""What every table has: a name, columns, a way to be written, and tables that it is made of."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from typing import Any, ClassVar

from medallion_assets.contracts.changes import FileOrder, Op
from medallion_assets.contracts.column import INGESTION_DATE, Column
from medallion_assets.contracts.fingerprint import fingerprint_of


@dataclass(frozen=True)
class WritePolicy:
    """How a table is written. What the steps ask of it, so that they need not know which one it is.

    kind: its name in the fingerprint
    lands_files, follows_source: bronze takes the files of a folder, or the changes of a system
    has_keys: silver merges changes by key; keeps_versions: and keeps the versions of each
    replaces_whole: gold is computed whole; is_dimension: and has an unknown member
    is_extract: landed files are validated and transformed, and only the result is kept
    """

    kind: ClassVar[str]
    lands_files: ClassVar[bool] = False
    follows_source: ClassVar[bool] = False
    has_keys: ClassVar[bool] = False
    keeps_versions: ClassVar[bool] = False
    replaces_whole: ClassVar[bool] = False
    is_dimension: ClassVar[bool] = False
    is_extract: ClassVar[bool] = False

    @property
    def row_key(self) -> tuple[str, ...]:
        """The columns of which no two stored rows have the same values; empty where nothing is said of that."""
        return ()

    @property
    def sequence(self) -> tuple[str, ...]:
        """The columns that order the changes of one key, the first before the second; empty for the order of files."""
        return ()

    @property
    def meaning(self) -> Op:
        """Which landed field says what a row does to its key; without a field every row is there."""
        return Op("", optional=True)

    @property
    def order_of_files(self) -> FileOrder | None:
        """How files order the changes of one key that have the same sequence; None where they do not."""
        return None

    @property
    def day_column(self) -> str:
        """The column whose days are replaced whole; empty where none are."""
        return ""


@dataclass(frozen=True)
class ReplaceDay(WritePolicy):
    """Rows without a key, or gold: a day of `column` is replaced whole."""

    column: str = INGESTION_DATE

    kind: ClassVar[str] = "replace_day"

    @property
    def day_column(self) -> str:
        return self.column


@dataclass(frozen=True, kw_only=True)
class Table:
    """One table of the lake; a file declares a BronzeTable, SilverTable or GoldTable.

    expects_data: a day without data is an error, but for `days_off` (weekdays such as SUNDAY, or dates)
    due: by when after a day's end (UTC) its data is to be there, days off excepted; a late table alerts
    transform, file: the function of that name in the table's file, and that file (see `tables/__init__.py`)
    """

    layer: ClassVar[str]
    kind: ClassVar[str]

    name: str
    description: str
    write: WritePolicy
    columns: tuple[Column, ...] = ()
    expects_data: bool = False
    due: timedelta | None = None
    days_off: tuple[str, ...] = ()
    owners: tuple[str, ...] = ("team:data-platform",)
    tags: dict[str, str] = field(default_factory=dict[str, str])
    transform: Callable[..., Any] | None = None
    file: str = ""

    @property
    def key(self) -> str:
        """`layer/name`: the path in the lake and the asset key in one."""
        return f"{self.layer}/{self.name}"

    @property
    def upstream(self) -> "tuple[Table, ...]":
        """The tables that its rows come from."""
        return ()

    @property
    def ancestors(self) -> "list[Table]":
        """All tables that it is made of, farthest first."""
        found: dict[str, Table] = {}
        for table in self.upstream:
            found |= {other.key: other for other in (*table.ancestors, table)}
        return list(found.values())

    @property
    def ancestor_keys(self) -> set[str]:
        return {table.key for table in self.ancestors}

    @property
    def partition_column(self) -> str | None:
        """The column that the stored table is partitioned by."""
        return None

    @property
    def landing_folder(self) -> str:
        """The folder below the landing area that its rows come from at once; empty where there is none."""
        return ""

    @property
    def is_generated(self) -> bool:
        """Gold that is made of nothing but the calendar."""
        return False

    @property
    def fact(self) -> "Table":
        """The table that gold's days are those of; any other table's are its own."""
        return self

    @property
    def column_names(self) -> list[str]:
        return [column.name for column in self.columns]

    @property
    def technical_columns(self) -> tuple[Column, ...]:
        """The columns that the lake adds when it writes."""
        return ()

    @property
    def stored_columns(self) -> tuple[Column, ...]:
        return (*self.columns, *self.technical_columns)

    @property
    def types(self) -> dict[str, str]:
        """Of every stored column."""
        return {column.name: column.type for column in self.stored_columns}

    @cached_property
    def fingerprint(self) -> str:
        """Changes with what can change a row, and with nothing else."""
        return fingerprint_of(self)

    def lineage_of(self, column: Column) -> tuple[str, ...]:
        """The columns that one of this table comes from, as `layer.table.column`."""
        return column.lineage

    def description_of(self, column: Column) -> str:
        """Its own, or that of the column it is a copy of; of a measure without one its SQL."""
        if column.description or column.measure:
            return column.description or (column.measure.sql(()) if column.measure else "")
        for table, found in self._sources_of(column, most=1):
            return table.description_of(found)
        return ""

    @cached_property
    def pii_columns(self) -> frozenset[str]:
        """The columns with personal data: marked here, or in a table that they come from."""
        return frozenset(
            column.name
            for column in self.columns
            if column.pii or any(found.name in table.pii_columns for table, found in self._sources_of(column))
        )

    def _sources_of(self, column: Column, most: int | None = None) -> Iterator[tuple["Table", Column]]:
        """The columns of its lineage, in this table's ancestors. most: how many of them are looked at."""
        known = {f"{table.layer}.{table.name}": table for table in self.ancestors}
        for source in self.lineage_of(column)[:most]:
            table, _, name = source.rpartition(".") if source.count(".") == 2 else ("", "", "")
            for found in known[table].stored_columns if table in known else ():
                if found.name == name:
                    yield known[table], found


def descendants(table: Table, tables: Iterable[Table]) -> list[Table]:
    """Those of the tables that are made of this one."""
    return [other for other in tables if table.key in other.ancestor_keys]
