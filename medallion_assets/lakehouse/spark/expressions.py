"""Expressions that every stage needs: a column of any name, no rows."""

from collections.abc import Mapping

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from medallion_assets.contracts.key_text import normal_key
from medallion_assets.contracts.sql_text import quoted_name


def quoted(name: str, of: str = "") -> Column:
    """The column of exactly this name, whatever dots, backticks or reserved words it has.

    of: the alias of a DataFrame, or a struct column

    All names of columns that a contract declares go through here, or through `quoted_name` where SQL is text.
    """
    return F.col(f"{of}.{quoted_name(name)}" if of else quoted_name(name))


def no_rows(spark: SparkSession, columns: Mapping[str, str]) -> DataFrame:
    """No rows, with columns of these SQL types; unlike `createDataFrame`, without Python on the executors."""
    nulls = [F.lit(None).cast(type_).alias(name) for name, type_ in columns.items()]
    return spark.range(1).select(*nulls).where(F.lit(False))


def normal_key_of(name: str) -> Column:
    """A text column as a key: trimmed and composed; NULL where nothing is left (see `contracts.key_text`)."""
    return F.expr(normal_key(quoted_name(name)))
