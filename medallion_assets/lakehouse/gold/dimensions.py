"""Surrogate keys and the unknown member of a dimension."""

from pyspark.sql import Column as Expression
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from medallion_assets.contracts.gold import Dimension, GoldTable
from medallion_assets.lakehouse.spark.expressions import quoted

UNKNOWN_KEY, UNKNOWN_NUMBER, UNKNOWN = "unknown", -1, "UNKNOWN"
_DIGITS = 32
"""Of the hash, in hexadecimal: 128 bits, of which no two keys will ever share all."""


def as_dimension(table: GoldTable, rows: DataFrame) -> DataFrame:
    """The members with their surrogate key, texts never NULL, and the unknown member."""
    keys = list(policy(table).keys)
    filled = {
        column.name: F.coalesce(quoted(column.name), F.lit(UNKNOWN))
        for column in table.columns
        if column.type == "string" and column.name in rows.columns and column.name not in keys
    }
    members = rows.withColumns(filled)
    if policy(table).surrogate not in rows.columns:
        digest = F.sha2(F.to_json(F.struct(*[quoted(name).cast("string").alias(name) for name in keys])), 256)
        members = members.withColumn(policy(table).surrogate, F.left(digest, F.lit(_DIGITS)))
    members = members.select(*[quoted(c.name).cast(c.type).alias(c.name) for c in table.columns])
    nobody = rows.sparkSession.range(1).select(
        *[unknown(table, c.name).cast(c.type).alias(c.name) for c in table.columns]
    )
    return members.unionByName(nobody)


def unknown(table: GoldTable, name: str) -> Expression:
    """A column of the unknown member, which counts as current; its keys are NULL, so that no fact meets it by them."""
    column = next(column for column in table.columns if column.name == name)
    if name == policy(table).surrogate:
        return F.lit(UNKNOWN_KEY if column.type == "string" else UNKNOWN_NUMBER)
    if name in policy(table).keys:
        return F.lit(None).cast(column.type)
    if name == "is_current":
        return F.lit(True)
    return F.lit(UNKNOWN) if column.type == "string" else F.lit(None).cast(column.type)


def policy(table: GoldTable) -> Dimension:
    assert isinstance(table.write, Dimension), f"{table.key} is no dimension"
    return table.write
