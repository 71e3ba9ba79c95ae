"""Facts and the dimension members that they join, each at a recorded version of its table.

Which of them changed since is told by `changed_members.py`; what is computed of them belongs to `refresh.py`.
"""

from collections.abc import Collection
from datetime import date

import pyarrow as pa
from pyspark.sql import Column as Expression
from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from medallion_assets.contracts.gold import GoldTable, Join
from medallion_assets.contracts.gold_policies import Dimension
from medallion_assets.contracts.table import Table
from medallion_assets.contracts.technical_columns import DELETED_AT
from medallion_assets.lakehouse.control.gold_refreshes import Versions
from medallion_assets.lakehouse.gold.dimensions import unknown
from medallion_assets.lakehouse.spark.expressions import normal_key_of, quoted
from medallion_assets.lakehouse.storage.lake import Lake


def live(lake: Lake, table: Table, version: int | None) -> DataFrame:
    """The rows of a table without its tombstones, at a version or (None) now."""
    rows = lake.read(table.key, version)
    return rows.where(F.col(DELETED_AT).isNull()) if DELETED_AT in rows.columns else rows


def facts_of(lake: Lake, table: GoldTable, versions: Versions) -> DataFrame:
    """The live facts, with only those columns that the table reads; of a generated table the calendar's days."""
    if table.is_generated:
        days = pa.array(map(date.fromisoformat, lake.calendar), pa.date32())
        return lake.spark.createDataFrame(pa.table({"date": days}))
    fact = table.inputs[0]
    return with_normal_keys(table, _read(lake, fact, table.fact_columns, versions[fact.key], table.where))


def with_normal_keys(table: GoldTable, facts: DataFrame) -> DataFrame:
    """The facts with the columns of text by which they join as silver spells its keys. Gold's facts are so already."""
    raw = {c.name for c in table.fact.columns if c.raw}
    types = table.own_fact_types
    names = {join.on for join in table.joins if types[join.on] == "string"} - raw
    if not names or (table.inputs and table.inputs[0].layer == "gold"):
        return facts
    return facts.withColumns({name: normal_key_of(name) for name in sorted(names)})


def attached(lake: Lake, joins: Collection[Join], facts: DataFrame, versions: Versions) -> DataFrame:
    """The facts with the columns of their members: no fact is lost, and none comes twice.

    Needs: `on` and `at` of each join. Adds: `columns` of each join.
    """
    for join in joins:
        members = members_of(lake, join, join.columns, versions[join.table.key])
        columns = [_filled(join, name).alias(name) for name in join.columns]
        facts = with_member(facts, join, members, "_member").select(*map(quoted, facts.columns), *columns)
    return facts


def with_member(facts: DataFrame, join: Join, members: DataFrame, name: str) -> DataFrame:
    """Needs: `on` and `at` of the join; `members` of `members_of`. Adds: the member's columns as the struct `name`.

    The fields of the struct are NULL where a fact has no member.
    """
    columns = [column for column in members.columns if column not in (join.on, "_from", "_to")]
    found = members.select(
        quoted(join.on).alias("_on"),
        *(["_from", "_to"] if join.at else []),
        F.struct(*map(quoted, columns)).alias(name),
    )
    matches = quoted(join.on) == F.col("_on")
    if join.at:
        at = quoted(join.at).cast(found.schema["_to"].dataType)
        begun = F.col("_from").isNull() | (at >= F.col("_from"))
        matches &= begun & (F.col("_to").isNull() | (at < F.col("_to")))
    none = F.struct(*[F.lit(None).cast(members.schema[column].dataType).alias(column) for column in columns])
    joined = facts.join(found, matches, "left").drop("_on", "_from", "_to")
    return joined.withColumn(name, F.coalesce(name, none))


def members_of(lake: Lake, join: Join, columns: Collection[str], version: int | None) -> DataFrame:
    """The live members of a joined table at a version, their key named `on`; none where there is no table yet.

    A join without `at` gets the current version of each member. A join with `at` gets all versions. Adds then: `_from`
    and `_to`, which bound the time of a version; `_from` of the first version is NULL, since it also counts before.
    """
    key = join.key or join.on
    bounds = ["valid_from", "valid_to"] if join.at else []
    joins_versions = bool(bounds) or joins_by_surrogate(join)
    which = "is_current" if _keeps_versions(join.table) and not joins_versions else "true"
    rows = _read(lake, join.table, list(dict.fromkeys([key, *columns, *bounds])), version, which)
    if join.at:
        first = F.min("valid_from").over(Window.partitionBy(quoted(key)))
        begins = F.when(F.col("valid_from") > first, F.col("valid_from"))
        rows = rows.withColumns({"_from": begins, "_to": F.col("valid_to")})
    others = [name for name in columns if name != key]
    return rows.select(
        quoted(key).alias(join.on), *map(quoted, others), *(["_from", "_to"] if join.at else [])
    )


def joins_by_surrogate(join: Join) -> bool:
    """Whether the facts have the surrogate key of the dimension, and so name one version of a member."""
    write = join.table.write
    return isinstance(write, Dimension) and write.surrogate == (join.key or join.on)


def _keeps_versions(table: Table) -> bool:
    return table.write.keeps_versions or "is_current" in table.column_names


def _filled(join: Join, name: str) -> Expression:
    """A member's column; where the fact has no member, that of the dimension's unknown member."""
    found = F.col("_member").getField(name)
    if isinstance(join.table, GoldTable) and join.table.write.is_dimension:
        return F.coalesce(found, unknown(join.table, name))
    return found


def _read(
    lake: Lake, table: Table, columns: list[str], version: int | None, where: str = "true"
) -> DataFrame:
    """These columns of the live rows; no rows where there is no table (version None)."""
    if version is not None:
        return live(lake, table, version).where(where).select(*map(quoted, columns))
    return lake.empty({name: table.types[name] for name in columns})
