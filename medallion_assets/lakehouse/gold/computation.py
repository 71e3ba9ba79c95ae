"""Gold's rows as its contract computes them from facts and members, kept in memory with their metrics until written."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from medallion_assets.contracts.gold import GoldTable
from medallion_assets.lakehouse.control.gold_refreshes import Versions
from medallion_assets.lakehouse.gold.day_metrics import GoldDayMetrics, metrics_by_day
from medallion_assets.lakehouse.gold.dimensions import as_dimension
from medallion_assets.lakehouse.gold.star_join import attached, facts_of
from medallion_assets.lakehouse.spark.expressions import quoted
from medallion_assets.lakehouse.spark.small_work import gathered, is_few, planned_for
from medallion_assets.lakehouse.storage import transaction_log
from medallion_assets.lakehouse.storage.lake import Lake
from medallion_assets.lakehouse.storage.predicates import days_predicate


@contextmanager
def computed_days(
    lake: Lake, table: GoldTable, versions: Versions, days: Collection[str] | None = None
) -> Iterator[tuple[DataFrame, dict[str, GoldDayMetrics]]]:
    """The rows of these days (None: of all), in memory until the block ends; and their metrics, as `metrics_by_day`."""
    facts = facts_of(lake, table, versions)
    if days is not None:
        facts = facts.where(days_predicate(table.write.day_column, days))
    few = _are_few(lake, table, days)
    # Of many facts few columns are read once more for the totals, which is less than to keep them all.
    facts = gathered(facts, few).persist() if few else facts
    with planned_for(lake.spark, few):
        rows = computed(lake, table, facts, versions).persist()
        try:
            yield rows, metrics_by_day(table, rows, facts)
        finally:
            rows.unpersist()
            if few:
                facts.unpersist()


def _are_few(lake: Lake, table: GoldTable, days: Collection[str] | None) -> bool:
    """By the facts of the days, and by all members that they may join."""
    facts, *members = ([], *table.joins) if table.is_generated else (table.inputs[:1], *table.joins)
    sizes = [
        size
        for fact in facts
        for day, size in transaction_log.partition_bytes(lake.root, fact.key).items()
        if days is None or day in days
    ]
    joined = [sum(transaction_log.partition_bytes(lake.root, join.table.key).values()) for join in members]
    return is_few(len(sizes), size=sum(sizes) + sum(joined))


def computed(lake: Lake, table: GoldTable, facts: DataFrame, versions: Versions) -> DataFrame:
    """The facts with their members, aggregated by the measures, then transformed, with the contract's types.

    Needs: the table's `fact_columns`. Returns: its columns and `_gold_created_timestamp`.
    """
    rows = attached(lake, table.joins, facts, versions)
    aggregates = [F.expr(sql).alias(name) for name, sql in table.aggregates.items()]
    if aggregates:
        rows = rows.groupBy(*map(quoted, table.grain)).agg(*aggregates)
    rows = table.transform(rows) if table.transform else rows
    if table.write.is_dimension:
        rows = as_dimension(table, rows)
    created = F.current_timestamp().alias("_gold_created_timestamp")
    return rows.select(*[quoted(c.name).cast(c.type).alias(c.name) for c in table.columns], created)


def sorted_for_writing(table: GoldTable, rows: DataFrame) -> DataFrame:
    """The rows sorted by day first, as the writer wants it, so that the writer need not sort again."""
    by = [table.partition_by, *table.sort_by] if table.partition_by else [*table.sort_by]
    return rows.sortWithinPartitions(*map(quoted, by)) if table.sort_by else rows
