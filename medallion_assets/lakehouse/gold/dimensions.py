"""Surrogate keys and the unknown member of a dimension (Kimball), which facts without a member join.

How facts join a member belongs to `star_join.py`.
"""

from pyspark.sql import Column as Expression
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from medallion_assets.contracts.gold import GoldTable
from medallion_assets.contracts.gold_policies import Dimension
from medallion_assets.lakehouse.spark.expressions import quoted

UNKNOWN_KEY, UNKNOWN_NUMBER, UNKNOWN = "unknown", -1, "UNKNOWN"
_DIGITS = 32
"""Hexadecimal digits of the hash: 128 bits, enough that no two keys will ever have the same."""


def as_dimension(table: GoldTable, rows: DataFrame) -> DataFrame:
    """The members with their surrogate key, and the unknown member. No text is NULL.

    Needs: the table's columns but for the surrogate. Adds: the surrogate, a hash of the keys, where the transform has
    not done so.
    """
    keys, surrogate = list(policy(table).keys), policy(table).surrogate
    filled = {
        column.name: F.coalesce(quoted(column.name), F.lit(UNKNOWN))
        for column in table.columns
        if column.type == "string" and column.name in rows.columns and column.name not in keys
    }
    members = rows.withColumns(filled)
    if surrogate not in rows.columns:
        digest = F.sha2(F.to_json(F.struct(*[quoted(name).cast("string").alias(name) for name in keys])), 256)
        members = members.withColumn(surrogate, F.left(digest, F.lit(_DIGITS)))
    members = members.select(*[quoted(c.name).cast(c.type).alias(c.name) for c in table.columns])
    unknown_member = rows.sparkSession.range(1).select(
        *[unknown(table, c.name).cast(c.type).alias(c.name) for c in table.columns]
    )
    return members.unionByName(unknown_member)


def unknown(table: GoldTable, name: str) -> Expression:
    """A column of the unknown member. It counts as current. Its key columns are NULL, so no fact joins it by key."""
    column = next(column for column in table.columns if column.name == name)
    if name == policy(table).surrogate:
        return F.lit(UNKNOWN_KEY if column.type == "string" else UNKNOWN_NUMBER)
    if name in policy(table).keys:
        return F.lit(None).cast(column.type)
    if name == "is_current":
        return F.lit(True)
    return F.lit(UNKNOWN) if column.type == "string" else F.lit(None).cast(column.type)


def policy(table: GoldTable) -> Dimension:
    """How the dimension is written: its surrogate and its keys."""
    assert isinstance(table.write, Dimension), f"{table.key} is no dimension"
    return table.write
