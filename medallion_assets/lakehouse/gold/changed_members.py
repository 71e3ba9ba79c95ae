"""The days whose facts join a dimension member that changed."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from medallion_assets.contracts.gold import GoldTable, Join
from medallion_assets.lakehouse.control.gold_refreshes import Versions
from medallion_assets.lakehouse.gold.star_join import _looked_up, _members, _surrogate, facts_of
from medallion_assets.lakehouse.spark.expressions import quoted
from medallion_assets.lakehouse.storage.lake import Lake


def days_of_changed_members(
    lake: Lake, table: GoldTable, join: Join, before: Versions, now: Versions
) -> set[str]:
    """The days with a fact whose member has other followed columns by now: of versions, the one valid at the fact."""
    day = table.write.day_column
    old, new = (_members(lake, join, join.followed, of.get(join.table.key)) for of in (before, now))
    changed = _changed(join, old, new, day).persist()
    ever, since = F.count_if(F.col("_since").isNull()), F.min("_since")
    count, first = changed.agg(F.count("*"), F.when(ever == 0, since)).collect()[0]
    if not count:
        return set()
    facts = facts_of(lake, table, now)
    if first is not None:
        facts = facts.where(quoted(join.at or join.on) >= F.lit(first))
    columns = [quoted(name) for name in sorted({day, join.on, join.at} - {""})]
    facts = (
        facts.join(changed.select(quoted(join.on)).distinct(), join.on, "left_semi")
        .select(*columns)
        .distinct()
    )
    compared = _looked_up(_looked_up(facts, join, old, "_old"), join, new, "_new")
    days = compared.where("NOT (_old <=> _new)").select(quoted(day)).distinct().collect()
    changed.unpersist()
    return {str(row[0]) for row in days}


def _changed(join: Join, old: DataFrame, new: DataFrame, day: str) -> DataFrame:
    """Members that differ, and `_since` which date on (NULL: ever), so that older facts need not be read.

    A surrogate key that came or went is of no concern: the facts that bear it are changed themselves.
    """
    bounds = ["_from", "_to"] if join.at else []
    values = F.struct(*[quoted(name) for name in old.columns if name not in (join.on, *bounds)])
    both = old.withColumn("_is_new", F.lit(False)).union(new.withColumn("_is_new", F.lit(True)))
    of_old, of_new = ~F.col("_is_new"), F.col("_is_new")
    pairs = both.groupBy(quoted(join.on), *bounds[:1]).agg(
        F.max(F.when(of_old, values)).alias("_old"),
        F.max(F.when(of_new, values)).alias("_new"),
        *[F.max(F.when(of_old, F.col(name))).alias("_old_to") for name in bounds[1:]],
        *[F.max(F.when(of_new, F.col(name))).alias("_new_to") for name in bounds[1:]],
    )
    same = F.col("_old").eqNullSafe(F.col("_new"))
    if not join.at:
        by_surrogate = (join.key or join.on) == _surrogate(join.table)
        there = F.lit(not by_surrogate) | (F.col("_old").isNotNull() & F.col("_new").isNotNull())
        since = quoted(join.on) if join.on == day else F.lit(None).cast("date")
        return pairs.where(~same & there).select(quoted(join.on), since.alias("_since"))
    since = F.when(same, F.least("_old_to", "_new_to")).otherwise(F.col("_from"))
    is_time = old.schema["_to"].dataType.typeName() in ("timestamp", "date")
    since = since.cast("date") if is_time else F.lit(None).cast("date")
    until = F.col("_old_to").eqNullSafe(F.col("_new_to"))
    return pairs.where(~same | ~until).select(quoted(join.on), since.alias("_since"))
