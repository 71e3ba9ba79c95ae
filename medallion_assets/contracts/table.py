"""What a table is: its columns, its rules, where its rows come from and how they are written."""

import hashlib
import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from medallion_assets.contracts.rules import Rule, Severity, is_typed, not_in_future, not_null, one_of

DELETE_OPS = ("D",)
UPSERT_OPS = ("I", "U", "C", "R")


@dataclass(frozen=True)
class Column:
    """`type` is a Spark SQL type; `lineage` names the columns it comes from as `layer.table.column`.

    optional: the landed files may lack it without a word from `schema_drift`
    """

    name: str
    type: str = "string"
    description: str = ""
    lineage: tuple[str, ...] = ()
    optional: bool = False


@dataclass(frozen=True)
class Land:
    """Bronze: every file of `$MEDALLION_LANDING/<source>/date=<day>/`, as text; a day converges to its folder."""

    source: str


@dataclass(frozen=True)
class FollowDelta:
    """Bronze: a Delta table elsewhere, followed by its version: a batch is what changed since the last one.

    `url`: an absolute path or an object-store URL, or $NAME of the environment variable that holds it. Rows that are
    there no more come as deletes (`op` D), rows that came or changed as upserts (`op` U). `keys` tell which.
    """

    url: str
    keys: tuple[str, ...]


@dataclass(frozen=True)
class FollowTable:
    """Bronze: a table of a PostgreSQL database, followed by the column that says when a row was last changed.

    A batch is every row with `watermark` >= the last watermark - `overlap`, or without one, that bronze does not hold.
    connection: the environment variable with the database's URL (postgresql://user:password@host:5432/name)
    overlap: longer than the longest transaction, since a row stamped 10:00 may be committed at 10:05; for a watermark
    that is a date, at least a day
    tolerance: rows stamped further ahead of our clock go to quarantine (the watermark is never ahead of it)
    partitions: how many connections read at a time, all of one snapshot
    keys: what identifies a row; used by the reconciliation of deleted keys alone
    """

    connection: str
    table: str
    keys: tuple[str, ...]
    watermark: str = "updated_at"
    overlap: timedelta = timedelta(minutes=15)
    tolerance: timedelta = timedelta(days=1)
    partitions: int = 1


@dataclass(frozen=True)
class Upsert:
    """Silver: the latest change of each key (SCD1), deletes kept as tombstones.

    `sequence_by` orders the changes of one key; without it the ingestion day and then the natural order of file
    names do. `op` names the landed column that marks deletes (D), where the source has one.
    """

    keys: tuple[str, ...]
    sequence_by: tuple[str, ...] = ()
    op: str = "op"


@dataclass(frozen=True)
class ReplaceDay:
    """Rows without a key: a day of `column` is replaced whole."""

    column: str = "_ingestion_date"


@dataclass(frozen=True)
class Extract:
    """ETL: a day's landed files are judged by a silver contract and transformed; only the result is loaded.

    `judged_by` names the files (those of its bronze table), the types and the rules; broken rows, deletes and all but
    the last change of a key in the day are left out. Nothing is kept but the result: each ingestion day is replaced.
    """

    judged_by: "Table"


@dataclass(frozen=True)
class Join:
    """A dimension that gold joins to its facts by the column `on`; only `columns` of it are seen.

    follows: the columns whose changes restate the days whose facts join the changed member; None means all of them
    """

    table: "Table"
    on: str
    columns: tuple[str, ...]
    follows: tuple[str, ...] | None = None

    @property
    def followed(self) -> tuple[str, ...]:
        return self.columns if self.follows is None else self.follows


@dataclass(frozen=True)
class Table:
    """One table of the lake. `transform` is the function of that name in the table's file (see `tables/__init__.py`).

    inputs: the table that this one is made of
    rules, quarantine_limit: silver's row rules, and the share of a day's rows in quarantine above which it is blocked
    joins, where, totals: gold's dimensions, the SQL filter of its facts, and for each additive measure the SQL
    aggregate of the facts that it must equal, day by day
    """

    layer: str
    name: str
    description: str
    write: Land | FollowDelta | FollowTable | Upsert | ReplaceDay | Extract
    inputs: tuple["Table", ...] = ()
    columns: tuple[Column, ...] = ()
    rules: tuple[Rule, ...] = ()
    partition_by: str | None = None
    quarantine_limit: float = 1.0
    joins: tuple[Join, ...] = ()
    where: str = "true"
    totals: tuple[tuple[str, str], ...] = ()
    owners: tuple[str, ...] = ("team:data-platform",)
    tags: dict[str, str] = field(default_factory=dict)
    transform: Callable[..., Any] | None = None
    file: str = ""

    @property
    def key(self) -> str:
        """`layer/name`: the path in the lake and the asset key in one."""
        return f"{self.layer}/{self.name}"

    @property
    def upstream(self) -> tuple["Table", ...]:
        """The tables it is made of and those it joins; an extract comes after the bronze of the same files."""
        same_files = self.write.judged_by.inputs if isinstance(self.write, Extract) else ()
        return (*self.inputs, *same_files, *(join.table for join in self.joins))

    @property
    def ancestors(self) -> list["Table"]:
        """All tables that it is made of, farthest first."""
        found: dict[str, Table] = {}
        for table in self.upstream:
            found |= {other.key: other for other in (*table.ancestors, table)}
        return list(found.values())

    @property
    def column_names(self) -> list[str]:
        return [column.name for column in self.columns]

    @property
    def row_rules(self) -> tuple[Rule, ...]:
        """The declared rules after those that follow from the contract: well-formed, typed, key and sequence there."""
        rules = [Rule("well_formed", "_corrupt_record IS NULL", ("_corrupt_record",))]
        if isinstance(self.write, Upsert):
            rules.append(replace(one_of("_op", UPSERT_OPS + DELETE_OPS), name="op_known"))
            rules += [not_null(column) for column in (*self.write.keys, *self.write.sequence_by)]
        rules += [is_typed(column.name, column.type) for column in self.columns if column.type != "string"]
        for source in (table.write for table in self.inputs):
            if isinstance(source, FollowTable) and source.watermark in self.column_names:
                rules.append(not_in_future(source.watermark, source.tolerance))
        return tuple({rule.name: rule for rule in (*rules, *self.rules)}.values())

    @property
    def judged_when_deleted(self) -> set[str]:
        """The columns on which a delete is judged: nothing else needs to be there."""
        if not isinstance(self.write, Upsert):
            return set()
        return {"_corrupt_record", "_op", *self.write.keys, *self.write.sequence_by}

    @property
    def fingerprint(self) -> str:
        """Changes with anything that can change a row: types, rules, write policy, the transform's source."""
        source = inspect.getsource(self.transform) if self.transform else ""
        joins = [(join.table.key, join.on, join.columns, join.follows) for join in self.joins]
        columns = [(column.name, column.type) for column in self.columns]
        parts = (columns, self.row_rules, self.write, joins, self.where, source)
        return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


def descendants(table: Table, tables: Iterable[Table]) -> list[Table]:
    """Those of the tables that are made of this one."""
    return [other for other in tables if table.key in {ancestor.key for ancestor in other.ancestors}]


def quarantine_mask(rules: tuple[Rule, ...]) -> int:
    """The bits, in the order of `rules`, whose rule sends a row to quarantine."""
    return sum(1 << i for i, rule in enumerate(rules) if rule.severity is Severity.QUARANTINE)
