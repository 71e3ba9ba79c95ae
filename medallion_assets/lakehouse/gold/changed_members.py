"""The days whose facts join a dimension member that changed.

Kimball calls what happens to such facts restating: with a type 1 change they get the new value, with a type 2 change
only those within the changed version do.
"""

from pyspark.sql import Column as Expression
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from medallion_assets.contracts.gold import GoldTable, Join
from medallion_assets.lakehouse.control.gold_refreshes import Versions
from medallion_assets.lakehouse.gold.star_join import facts_of, joins_by_surrogate, members_of, with_member
from medallion_assets.lakehouse.spark.expressions import quoted
from medallion_assets.lakehouse.storage.lake import Lake


def days_of_changed_members(
    lake: Lake, table: GoldTable, join: Join, before: Versions, now: Versions
) -> set[str]:
    """The days that have a fact whose member differs between two versions of the joined table.

    Only columns that the join follows count. Of a member with versions, the one that is valid at the fact counts.
    """
    day = table.write.day_column
    old, new = (members_of(lake, join, join.followed, of.get(join.table.key)) for of in (before, now))
    changed = _changed_members(join, old, new, day).persist()
    without_date, first = F.count_if(F.col("_since").isNull()), F.min("_since")
    count, since = changed.agg(F.count("*"), F.when(without_date == 0, first)).collect()[0]
    if not count:
        return set()
    facts = facts_of(lake, table, now)
    if since is not None:
        facts = facts.where(quoted(join.at or join.on) >= F.lit(since))
    # A join by name takes the name as it is, with dots or backticks.
    facts = facts.join(changed.select(quoted(join.on)).distinct(), join.on, "left_semi")
    facts = facts.select(*map(quoted, sorted({day, join.on, join.at} - {""}))).distinct()
    compared = with_member(with_member(facts, join, old, "_old"), join, new, "_new")
    days = compared.where("NOT (_old <=> _new)").select(quoted(day)).distinct().collect()
    changed.unpersist()
    return {str(row[0]) for row in days}


def _changed_members(join: Join, old: DataFrame, new: DataFrame, day: str) -> DataFrame:
    """The members that differ. Needs: the columns of `members_of`. Returns: `on` and `_since`.

    `_since` is the date from which on the member differs, so that older facts need not be read; NULL for always.
    """
    return _changed_versions(join, old, new) if join.at else _changed_values(join, old, new, day)


def _changed_values(join: Join, old: DataFrame, new: DataFrame, day: str) -> DataFrame:
    """A surrogate key that is new or gone is left out: the facts that have it are changed themselves."""
    pairs = _paired(join, old, new)
    in_both = F.col("_old").isNotNull() & F.col("_new").isNotNull()
    counts = in_both if joins_by_surrogate(join) else F.lit(True)
    since = quoted(join.on) if join.on == day else F.lit(None).cast("date")
    return pairs.where(~_same() & counts).select(quoted(join.on), since.alias("_since"))


def _changed_versions(join: Join, old: DataFrame, new: DataFrame) -> DataFrame:
    """A version differs from its beginning on, or, where only its end moved, from the earlier end on."""
    pairs = _paired(join, old, new, "_from")
    since = F.when(_same(), F.least("_old_to", "_new_to")).otherwise(F.col("_from"))
    is_time = old.schema["_to"].dataType.typeName() in ("timestamp", "date")
    since = since.cast("date") if is_time else F.lit(None).cast("date")
    same_end = F.col("_old_to").eqNullSafe(F.col("_new_to"))
    return pairs.where(~_same() | ~same_end).select(quoted(join.on), since.alias("_since"))


def _paired(join: Join, old: DataFrame, new: DataFrame, *version: str) -> DataFrame:
    """One row for each member, or for each of its versions: `_old` and `_new`, structs of the other columns.

    Adds for versions: `_old_to` and `_new_to`. A member that is on one side only has NULL on the other.
    """
    values = F.struct(*[quoted(name) for name in old.columns if name not in (join.on, "_from", "_to")])
    both = old.withColumn("_is_new", F.lit(False)).union(new.withColumn("_is_new", F.lit(True)))
    of_old, of_new = ~F.col("_is_new"), F.col("_is_new")
    ends = [
        F.max(F.when(side, F.col("_to"))).alias(name)
        for side, name in ((of_old, "_old_to"), (of_new, "_new_to"))
        if version
    ]
    return both.groupBy(quoted(join.on), *version).agg(
        F.max(F.when(of_old, values)).alias("_old"), F.max(F.when(of_new, values)).alias("_new"), *ends
    )


def _same() -> Expression:
    return F.col("_old").eqNullSafe(F.col("_new"))
