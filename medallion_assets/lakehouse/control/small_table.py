"""A control table: rows of one dataclass in a small Delta table, kept by delta-rs. No JVM.

Here once: the schema of the dataclass, reading with a filter, replacing the rows of a key, appending. What a row means
belongs to the module of its table.
"""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from datetime import datetime, timezone
from functools import cached_property, reduce
from operator import and_
from typing import Any, Generic, TypeVar, get_origin, get_type_hints

import pyarrow as pa
import pyarrow.dataset as ds
from deltalake import CommitProperties, DeltaTable, write_deltalake

from medallion_assets.lakehouse.storage import transaction_log
from medallion_assets.lakehouse.storage.lake import MARK, table_path
from medallion_assets.lakehouse.storage.locks import one_writer
from medallion_assets.lakehouse.storage.open_table import dataset_of, find_table, table_exists

Row = TypeVar("Row")

_ARROW = {
    str: pa.string(),
    str | None: pa.string(),
    int: pa.int64(),
    int | None: pa.int64(),
    float: pa.float64(),
    float | None: pa.float64(),
    bool: pa.bool_(),
    list[str]: pa.list_(pa.string()),
    datetime: pa.timestamp("us", tz="UTC"),
}


def now() -> datetime:
    """The time that a control table's row bears: UTC."""
    return datetime.now(timezone.utc)


@dataclass(frozen=True)
class SmallTable(Generic[Row]):
    """`row`: the dataclass whose fields are the columns; a dict is stored as JSON text.

    partition_by: a column of which a reader asks for one value
    """

    key: str
    row: type[Row]
    partition_by: str | None = None

    @property
    def column_types(self) -> dict[str, str]:
        """Arrow's names of them."""
        return {field.name: str(field.type) for field in self._schema}

    def exists(self, root: str) -> bool:
        return table_exists(table_path(root, self.key))

    def read(self, root: str, where: ds.Expression | None = None) -> list[Row]:
        """The rows that satisfy `where`, in no order; none where there is no table."""
        table = find_table(table_path(root, self.key))
        return [] if table is None else self.rows_of(table, where)

    def rows_of(self, table: DeltaTable, where: ds.Expression | None = None) -> list[Row]:
        """The rows of a version of this table. Columns that are newer than a row have their defaults in it."""
        dataset = dataset_of(table)
        names = [name for name in self._schema.names if name in dataset.schema.names]
        found = dataset.to_table(columns=names, filter=where)
        columns = {name: self._decoded(name, found[name].to_pylist()) for name in names}
        newer = {one.name for one in fields(self.row) if one.default is not MISSING}  # type: ignore[arg-type]
        rows = [dict(zip(names, values, strict=True)) for values in zip(*columns.values(), strict=True)]
        told = [{n: row[n] for n in names if row[n] is not None or n not in newer} for row in rows]
        return [self.row(**row) for row in told]

    def columns(self, root: str, *names: str, where: ds.Expression | None = None) -> list[tuple[Any, ...]]:
        """Some columns of the rows that satisfy `where`: for questions about all rows, of which no row is made."""
        table = find_table(table_path(root, self.key))
        if table is None:
            return []
        found = dataset_of(table).to_table(columns=list(names), filter=where)
        return list(zip(*[self._decoded(name, found[name].to_pylist()) for name in names], strict=True))

    def append(self, root: str, rows: Sequence[Row]) -> None:
        """In one commit; none for no rows."""
        if rows:
            with one_writer(root, self.key):
                write_deltalake(
                    table_path(root, self.key), self._data(rows), mode="append", schema_mode="merge"
                )

    def replace(self, root: str, rows: Sequence[Row], **of: str | Collection[str]) -> None:
        """The rows whose columns have the values `of` become `rows`, in one commit."""
        with one_writer(root, self.key):
            self._replace(root, rows, of)

    def update(
        self, root: str, change: Callable[[list[Row]], list[Row]], **of: str
    ) -> tuple[list[Row], list[Row]]:
        """Replaces the rows whose columns have the values `of` by what `change` makes of them; returns both.

        No other writer comes in between. No commit where nothing changes.
        """
        with one_writer(root, self.key):
            before = self.read(root, having(**of))
            after = change(before)
            if after != before:
                self._replace(root, after, of)
            return before, after

    def _replace(self, root: str, rows: Sequence[Row], of: Mapping[str, str | Collection[str]]) -> None:
        path, data = table_path(root, self.key), self._data(rows)
        marked = CommitProperties(custom_metadata={MARK: _mark(root, of)})
        if table_exists(path):
            parts = [f"{name} IN ({', '.join(map(_literal, _listed(value)))})" for name, value in of.items()]
            where = " AND ".join(parts)
            write_deltalake(
                path, data, mode="overwrite", predicate=where, schema_mode="merge", commit_properties=marked
            )
        else:
            by = [self.partition_by] if self.partition_by else None
            write_deltalake(path, data, partition_by=by, commit_properties=marked)

    @cached_property
    def _hints(self) -> Mapping[str, Any]:
        hints = get_type_hints(self.row)
        return {field.name: hints[field.name] for field in fields(self.row)}  # type: ignore[arg-type]

    @property
    def _schema(self) -> pa.Schema:
        return pa.schema(
            [(n, pa.string() if get_origin(h) is dict else _ARROW[h]) for n, h in self._hints.items()]
        )

    def _data(self, rows: Sequence[Row]) -> pa.Table:
        columns = {n: self._encoded(n, [getattr(row, n) for row in rows]) for n in self._hints}
        return pa.Table.from_pydict(columns, schema=self._schema)

    def _encoded(self, name: str, values: list[Any]) -> list[Any]:
        return [json.dumps(value) for value in values] if self._is_json(name) else values

    def _decoded(self, name: str, values: list[Any]) -> list[Any]:
        """NULL, where the column is newer than the row, stays so."""
        return [value and json.loads(value) for value in values] if self._is_json(name) else values

    def _is_json(self, name: str) -> bool:
        return get_origin(self._hints[name]) is dict


def having(**of: str | Collection[str]) -> ds.Expression:
    """The rows whose columns have these values, or one of them."""
    return reduce(and_, [ds.field(name).isin(_listed(value)) for name, value in of.items()])


def _mark(root: str, of: Mapping[str, str | Collection[str]]) -> str:
    """The table that the rows are about, and its version now: `control/memory.py` compares them."""
    table = of.get("table_name", "")
    return f"{table}@{transaction_log.version(root, table)}" if isinstance(table, str) and table else "@"


def _listed(value: str | Collection[str]) -> list[str]:
    return [value] if isinstance(value, str) else sorted(value)


def _literal(text: str) -> str:
    """For delta-rs, which doubles a quote where Spark escapes it."""
    return "'" + text.replace("'", "''") + "'"
