"""What a table is: its columns, its rules, where its rows come from and how they are written."""

import hashlib
import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from medallion_assets.contracts.expected import hold_to_days
from medallion_assets.contracts.measures import Measure
from medallion_assets.contracts.rules import Rule, Severity, is_typed, not_in_future, not_null, one_of

DELETE_OPS = ("D",)
UPSERT_OPS = ("I", "U", "C", "R")
VERSIONED = ("valid_from", "valid_to", "is_current")
"""The columns of a table that keeps versions."""


@dataclass(frozen=True)
class Column:
    """`type` is a Spark SQL type; `lineage` names the columns it comes from as `layer.table.column`.

    optional: the landed files may lack it without a word from `schema_drift`
    measure: how gold aggregates it; in a table with measures the columns without one are its grain
    """

    name: str
    type: str = "string"
    description: str = ""
    lineage: tuple[str, ...] = ()
    optional: bool = False
    measure: Measure | None = None


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

    @property
    def row_key(self) -> tuple[str, ...]:
        """The columns of which no two stored rows have the same values."""
        return self.keys


@dataclass(frozen=True)
class History(Upsert):
    """Silver: the versions of each key (SCD2), `valid_from` <= time < `valid_to`; a delete leaves a gap.

    A change of a `tracked` column begins a version; other columns overwrite in the version that holds. The times are
    those of the first column of `sequence_by`.
    """

    tracked: tuple[str, ...] = field(kw_only=True)

    @property
    def row_key(self) -> tuple[str, ...]:
        return (*self.keys, "valid_from")


@dataclass(frozen=True)
class ReplaceDay:
    """Rows without a key, or gold: a day of `column` is replaced whole."""

    column: str = "_ingestion_date"


@dataclass(frozen=True)
class ReplaceWhole:
    """Gold that is not local to a day (a row a customer): computed whole, written only where it differs."""


@dataclass(frozen=True)
class Dimension(ReplaceWhole):
    """Gold: what facts are described by. One row more is the unknown member, which facts without a member join.

    surrogate: the column that facts bear, a hash of `keys` unless the transform gives it: the same after any rebuild
    """

    surrogate: str
    keys: tuple[str, ...]


@dataclass(frozen=True)
class Extract:
    """ETL: a day's landed files are judged by a silver contract and transformed; only the result is loaded.

    `judged_by` names the files (those of its bronze table), the types and the rules; broken rows, deletes and all but
    the last change of a key in the day are left out. Nothing is kept but the result: each ingestion day is replaced.
    """

    judged_by: "Table"


@dataclass(frozen=True)
class Join:
    """A dimension whose `columns` gold's facts get by their column `on`; NULL, or the unknown member, without a match.

    key: the dimension's column, where it is named otherwise than `on`
    at: the facts' day or time, for a dimension with versions: the one valid then, before the first one the first
    follows: the columns whose changes restate the days whose facts join the changed member; None means all of them
    """

    table: "Table"
    on: str
    columns: tuple[str, ...]
    key: str = ""
    at: str = ""
    follows: tuple[str, ...] | None = None

    @property
    def followed(self) -> tuple[str, ...]:
        return self.columns if self.follows is None else self.follows


@dataclass(frozen=True)
class Total:
    """What must be the same of gold's rows and of its facts, each an SQL aggregate, day by day."""

    name: str
    rows: str
    facts: str


@dataclass(frozen=True)
class Table:
    """One table of the lake. `transform` is the function of that name in the table's file (see `tables/__init__.py`).

    inputs: the table that this one is made of
    rules, quarantine_limit: silver's row rules, and the share of a day's rows in quarantine above which it is blocked
    purge_after: how long silver keeps tombstones and quarantined rows after their time; None keeps them for ever
    joins, where, totals: gold's dimensions, the SQL filter of its facts, and what must reconcile beside its measures
    sort_by: by what gold's files are sorted, so that statistics skip what a query does not ask for
    expects_data: a day without data is an error, but for `days_off` (weekdays such as SUNDAY, or dates)
    due: by when after a day's end (UTC) its data is to be there, days off excepted; a late table alerts
    """

    layer: str
    name: str
    description: str
    write: Land | FollowDelta | FollowTable | Upsert | ReplaceDay | ReplaceWhole | Extract
    inputs: tuple["Table", ...] = ()
    columns: tuple[Column, ...] = ()
    rules: tuple[Rule, ...] = ()
    partition_by: str | None = None
    quarantine_limit: float = 1.0
    purge_after: timedelta | None = None
    joins: tuple[Join, ...] = ()
    where: str = "true"
    totals: tuple[Total, ...] = ()
    sort_by: tuple[str, ...] = ()
    expects_data: bool = False
    due: timedelta | None = None
    days_off: tuple[str, ...] = ()
    owners: tuple[str, ...] = ("team:data-platform",)
    tags: dict[str, str] = field(default_factory=dict)
    transform: Callable[..., Any] | None = None
    file: str = ""

    def __post_init__(self) -> None:
        hold_to_days(self.days_off)

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
    def ancestor_keys(self) -> set[str]:
        return {table.key for table in self.ancestors}

    @property
    def is_generated(self) -> bool:
        """Gold that is made of nothing but the calendar."""
        return self.layer == "gold" and not self.upstream

    @property
    def column_names(self) -> list[str]:
        return [column.name for column in self.columns]

    @property
    def measures(self) -> dict[str, Measure]:
        return {column.name: column.measure for column in self.columns if column.measure}

    @property
    def grain(self) -> tuple[str, ...]:
        """The columns of which no two rows of gold have the same values; empty where the contract does not say."""
        if isinstance(self.write, Dimension):
            return (self.write.surrogate,)
        return tuple(c.name for c in self.columns if not c.measure) if self.measures else ()

    @property
    def reconciled(self) -> tuple[Total, ...]:
        """The declared totals and those of the additive measures."""
        additive = [
            Total(name, f"{measure.total}({name})", measure.aggregate)
            for name, measure in self.measures.items()
            if measure.total
        ]
        return (*self.totals, *additive)

    @property
    def fact(self) -> "Table":
        """The silver table that gold's days are those of."""
        return self.inputs[0].fact if self.layer == "gold" and self.inputs else self

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
        joins = [(j.table.key, j.on, j.columns, j.key, j.at, j.follows) for j in self.joins]
        columns = [(c.name, c.type, c.measure) if c.measure else (c.name, c.type) for c in self.columns]
        parts = (columns, self.row_rules, self.write, joins, self.where, source)
        return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


def descendants(table: Table, tables: Iterable[Table]) -> list[Table]:
    """Those of the tables that are made of this one."""
    return [other for other in tables if table.key in other.ancestor_keys]


def quarantine_mask(rules: tuple[Rule, ...]) -> int:
    """The bits, in the order of `rules`, whose rule sends a row to quarantine."""
    return sum(1 << i for i, rule in enumerate(rules) if rule.severity is Severity.QUARANTINE)
