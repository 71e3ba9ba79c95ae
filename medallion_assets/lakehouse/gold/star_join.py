"""Facts and the members that they join, each at a recorded version of its table."""

from collections.abc import Collection
from datetime import date

import pyarrow as pa
from pyspark.sql import Column as Expression
from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from medallion_assets.contracts.gold import Dimension, GoldTable, Join
from medallion_assets.contracts.table import Table
from medallion_assets.lakehouse.control.gold_refreshes import Versions
from medallion_assets.lakehouse.gold.dimensions import unknown
from medallion_assets.lakehouse.spark.expressions import quoted
from medallion_assets.lakehouse.storage.lake import Lake


def live(lake: Lake, table: Table, version: int | None) -> DataFrame:
    """The rows of a table without its tombstones, at a version or (None) now."""
    rows = lake.read(table.key, version)
    return rows.where("_deleted_at IS NULL") if "_deleted_at" in rows.columns else rows


def facts_of(lake: Lake, table: GoldTable, versions: Versions) -> DataFrame:
    """The live facts, with only those columns that the table reads; or the calendar's days."""
    if table.is_generated:
        days = pa.array(map(date.fromisoformat, lake.calendar), pa.date32())
        return lake.spark.createDataFrame(pa.table({"date": days}))
    fact = table.inputs[0]
    return _read(lake, fact, table.fact_columns, versions[fact.key], table.where)


def attached(lake: Lake, joins: Collection[Join], facts: DataFrame, versions: Versions) -> DataFrame:
    """The facts with the columns of their members. No fact is lost, and none comes twice."""
    for join in joins:
        members = _members(lake, join, join.columns, versions[join.table.key])
        facts = _looked_up(facts, join, members, "_member").select(
            *map(quoted, facts.columns),
            *[_filled(join, name).alias(name) for name in join.columns],
        )
    return facts


def _looked_up(facts: DataFrame, join: Join, members: DataFrame, name: str) -> DataFrame:
    """The facts with their member's columns as a struct, of NULLs where there is none."""
    kept = [column for column in members.columns if column not in (join.on, "_from", "_to")]
    found = members.select(
        quoted(join.on).alias("_on"),
        *(["_from", "_to"] if join.at else []),
        F.struct(*map(quoted, kept)).alias(name),
    )
    matches = quoted(join.on) == F.col("_on")
    if join.at:
        at = quoted(join.at).cast(found.schema["_to"].dataType)
        matches &= (F.col("_from").isNull() | (at >= F.col("_from"))) & (
            F.col("_to").isNull() | (at < F.col("_to"))
        )
    none = F.struct(*[F.lit(None).cast(members.schema[column].dataType).alias(column) for column in kept])
    joined = facts.join(found, matches, "left").drop("_on", "_from", "_to")
    return joined.withColumn(name, F.coalesce(name, none))


def _members(lake: Lake, join: Join, columns: Collection[str], version: int | None) -> DataFrame:
    """The live members of a joined table at a version; none where there is no table yet.

    Of versions the current one, or `_from` and `_to`, which bound the time: `_from` of the first is NULL, since it
    counts before, too.
    """
    key = join.key or join.on
    bounds = ["valid_from", "valid_to"] if join.at else []
    names_versions = bool(bounds) or key == _surrogate(join.table)
    which = "is_current" if _keeps_versions(join.table) and not names_versions else "true"
    rows = _read(lake, join.table, list(dict.fromkeys([key, *columns, *bounds])), version, which)
    if join.at:
        first = F.min("valid_from").over(Window.partitionBy(quoted(key)))
        begins = F.when(F.col("valid_from") > first, F.col("valid_from"))
        rows = rows.withColumns({"_from": begins, "_to": F.col("valid_to")})
    kept = [name for name in columns if name != key]
    return rows.select(quoted(key).alias(join.on), *map(quoted, kept), *(["_from", "_to"] if join.at else []))


def _surrogate(table: Table) -> str | None:
    return table.write.surrogate if isinstance(table.write, Dimension) else None


def _keeps_versions(table: Table) -> bool:
    return table.write.keeps_versions or "is_current" in table.column_names


def _filled(join: Join, name: str) -> Expression:
    """A member's column; of a dimension that of the unknown member where the fact has none."""
    found = F.col("_member").getField(name)
    return (
        F.coalesce(found, unknown(join.table, name))
        if isinstance(join.table, GoldTable) and join.table.write.is_dimension
        else found
    )


def _read(
    lake: Lake, table: Table, columns: list[str], version: int | None, where: str = "true"
) -> DataFrame:
    """Columns of the live rows; none of a table that is not there."""
    if version is not None:
        return live(lake, table, version).where(where).select(*map(quoted, columns))
    return lake.empty({name: table.types[name] for name in columns})
