"""Gold: facts, dimensions and measures for those who ask; computed by day, whole, or straight from landed files."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import ClassVar

from medallion_assets.contracts import technical_columns
from medallion_assets.contracts.column import INGESTION_DATE, Column
from medallion_assets.contracts.gold_policies import Dimension, Extract, ReplaceWhole
from medallion_assets.contracts.measures import Measure
from medallion_assets.contracts.sql_text import columns_of, quoted_name
from medallion_assets.contracts.table import ReplaceDay, Table


@dataclass(frozen=True)
class Join:
    """A dimension whose `columns` gold's facts get by their column `on`; NULL, or the unknown member, without a match.

    key: the dimension's column, where it is named otherwise than `on`
    at: the facts' day or time, for a dimension with versions: the one valid then, before the first one the first
    follows: a change in one of these columns recomputes the days that use the changed row; None means all of them
    """

    table: Table
    on: str
    columns: tuple[str, ...]
    key: str = ""
    at: str = ""
    follows: tuple[str, ...] | None = None

    kind: ClassVar[str] = "join"

    @property
    def followed(self) -> tuple[str, ...]:
        return self.columns if self.follows is None else self.follows

    @property
    def follows_all(self) -> bool:
        return {*self.columns} <= {*self.followed}


@dataclass(frozen=True)
class Total:
    """What must be the same of gold's rows and of its facts, each an SQL aggregate, day by day."""

    name: str
    rows: str
    facts: str


@dataclass(frozen=True, kw_only=True)
class GoldTable(Table):
    """A table of facts, of a dimension or of metrics.

    inputs: its facts: a silver table, or another gold table; none where it is made of the calendar or is an extract
    joins, where, totals: its dimensions, the SQL filter of its facts, and what must reconcile beside its measures
    sort_by: by what its files are sorted, so that statistics skip what a query does not ask for
    """

    layer: ClassVar[str] = "gold"
    kind: ClassVar[str] = layer

    write: ReplaceDay | ReplaceWhole | Dimension | Extract
    inputs: tuple[Table, ...] = ()
    joins: tuple[Join, ...] = ()
    where: str = "true"
    totals: tuple[Total, ...] = ()
    partition_by: str | None = None
    sort_by: tuple[str, ...] = ()

    @property
    def upstream(self) -> tuple[Table, ...]:
        """Its facts and the tables it joins; an extract comes after the bronze of the same files."""
        same_files = self.write.validated_by.inputs if isinstance(self.write, Extract) else ()
        return (*self.inputs, *same_files, *(join.table for join in self.joins))

    @property
    def partition_column(self) -> str | None:
        return self.write.day_column if self.write.is_extract else self.partition_by

    @property
    def input_keys(self) -> tuple[str, ...]:
        return tuple(table.key for table in self.inputs)

    @property
    def facts_key(self) -> str:
        """What its facts are, in words."""
        if isinstance(self.write, Extract):
            return self.write.validated_by.key
        return self.inputs[0].key if self.inputs else "the calendar"

    @property
    def landing_folder(self) -> str:
        return self.write.validated_by.inputs[0].landing_folder if isinstance(self.write, Extract) else ""

    @property
    def is_generated(self) -> bool:
        return not self.upstream

    @property
    def fact(self) -> Table:
        return self.inputs[0].fact if self.inputs else self

    @property
    def technical_columns(self) -> tuple[Column, ...]:
        return technical_columns.GOLD

    @property
    def measures(self) -> dict[str, Measure]:
        return {column.name: column.measure for column in self.columns if column.measure}

    @property
    def aggregates(self) -> dict[str, str]:
        """The SQL of the measures that are computed from facts."""
        known = self.fact_types
        return {name: measure.sql(known) for name, measure in self.measures.items() if measure.aggregate}

    @property
    def grain(self) -> tuple[str, ...]:
        """The columns of which no two rows have the same values; empty where the contract does not say."""
        if self.write.row_key:
            return self.write.row_key
        return tuple(c.name for c in self.columns if not c.measure) if self.measures else ()

    @property
    def reconciled(self) -> tuple[Total, ...]:
        """The declared totals and those of the additive measures."""
        aggregates = self.aggregates
        additive = [
            Total(name, f"{measure.total}({quoted_name(name)})", aggregates[name])
            for name, measure in self.measures.items()
            if measure.total
        ]
        return (*self.totals, *additive)

    @property
    def fact_types(self) -> dict[str, str]:
        """Column -> type of what the measures and the transform see: the facts, and what the joins attach."""
        attached = {name: join.table.types.get(name, "") for join in self.joins for name in join.columns}
        return {**self.own_fact_types, **attached}

    @property
    def own_fact_types(self) -> dict[str, str]:
        """Column -> type of the facts before the joins."""
        if isinstance(self.write, Extract):
            return {c.name: c.type for c in self.write.validated_by.columns} | {INGESTION_DATE: "date"}
        return self.inputs[0].types if self.inputs else {"date": "date"}

    @property
    def fact_columns(self) -> list[str]:
        """The columns of its facts that it reads: those of lineage, joins, day, measures and totals."""
        prefix = f"{self.inputs[0].layer}.{self.inputs[0].name}." if self.inputs else ""
        sources = {source for column in self.columns for source in self.lineage_of(column)}
        named = {source.removeprefix(prefix) for source in sources if source.startswith(prefix)}
        named |= {name for join in self.joins for name in (join.on, join.at) if name}
        named |= {self.write.day_column} - {""}
        attached = {name for join in self.joins for name in join.columns}
        for sql in self.aggregates.values():
            named |= self._named(sql, self.own_fact_types.keys() - attached)
        for total in self.totals:
            named |= self._named(total.facts, self.own_fact_types)
        return sorted(named)

    def lineage_of(self, column: Column) -> tuple[str, ...]:
        if column.lineage or self.is_generated:
            return column.lineage
        if column.measure:
            names = self._named(column.measure.sql(self.fact_types), self.fact_types)
        elif isinstance(self.write, Dimension) and column.name == self.write.surrogate:
            names = set(self.write.keys)
        else:
            names = {column.name} & self.fact_types.keys()
        return tuple(
            f"{table.layer}.{table.name}.{name}" for name in sorted(names) for table in self._owner(name)
        )

    def _owner(self, name: str) -> tuple[Table, ...]:
        """The table that a column of the joined facts comes from."""
        joined = [join.table for join in self.joins if name in join.columns]
        owners = [joined[-1]] if joined else self.upstream[:1]
        return tuple(table for table in owners if name in table.types)

    def _named(self, sql: str, known: Collection[str]) -> set[str]:
        """Which of the known columns an expression names."""
        return {path[0] for path in columns_of(sql) if path[0] in known} if sql else set()
