"""Which rules each row breaks, whether that sends it to quarantine, and its score; all rules in one pass."""

from collections.abc import Sequence
from functools import reduce

from pyspark.sql import Column as Expression
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from medallion_assets.contracts.rules import Rule
from medallion_assets.contracts.table import Table, quarantine_mask
from medallion_assets.lakehouse.silver.ledgers import Files
from medallion_assets.lakehouse.silver.standardize import standardize
from medallion_assets.lakehouse.spark.expressions import quoted
from medallion_assets.lakehouse.storage.lake import Lake
from medallion_assets.lakehouse.storage.predicates import days_predicate


def validated_rows(lake: Lake, table: Table, files: Files) -> DataFrame:
    """The bronze rows of these files, validated."""
    days = sorted(day for day, paths in files.items() if paths)
    paths = sorted(path for listed in files.values() for path in listed)
    bronze = lake.read(table.inputs[0].key)
    if not days:
        return validate(table, bronze.limit(0))
    of_days = F.expr(days_predicate("_ingestion_date", days))
    return validate(table, bronze.where(of_days & F.col("_source_file").isin(paths)))


def validate(table: Table, landed: DataFrame) -> DataFrame:
    """As many rows as bronze gives, standardized (see there for the columns of a change).

    Needs: a bronze table's columns.
    Adds: `_broken` (a bit per rule, in the order of `table.row_rules`), `_quarantined`, `_data_quality_score` (0 to
    100); `_landed` stays of quarantined rows alone.
    """
    rules = table.row_rules
    changes = standardize(table, landed).withColumn("_broken", _bits(table, rules))
    quarantined = F.col("_broken").bitwiseAND(F.lit(quarantine_mask(rules)).cast("long")) != 0
    return changes.select(
        *[quoted(name) for name in changes.columns if name not in ("_landed", "_op")],
        quarantined.alias("_quarantined"),
        _score(rules).alias("_data_quality_score"),
        F.when(quarantined, F.col("_landed")).alias("_landed"),
    )


def _bits(table: Table, rules: Sequence[Rule]) -> Expression:
    bits = [
        F.when(is_broken(table, rule), F.lit(1 << i)).otherwise(F.lit(0)).cast("long")
        for i, rule in enumerate(rules)
    ]
    return reduce(Expression.bitwiseOR, bits)


def is_broken(table: Table, rule: Rule) -> Expression:
    """A delete is validated on key, sequence and op only."""
    broken = ~F.coalesce(F.expr(rule.predicate), F.lit(False))
    return broken if set(rule.columns) <= table.judged_when_deleted else broken & ~F.col("_is_delete")


def breaks(i: int) -> Expression:
    """1 where the row breaks the rule number `i`, else 0. Needs: `_broken`."""
    return F.shiftright(F.col("_broken"), i).bitwiseAND(F.lit(1).cast("long"))


def failed_rules(rules: Sequence[Rule]) -> Expression:
    """The names of the rules that the row breaks. Needs: `_broken`."""
    return F.array_compact(
        F.array(*[F.when(breaks(i) == 1, F.lit(rule.name)) for i, rule in enumerate(rules)])
    )


def _score(rules: Sequence[Rule]) -> Expression:
    total = sum(rule.weight for rule in rules)
    lost = reduce(lambda a, b: a + b, [breaks(i) * rule.weight for i, rule in enumerate(rules)])
    return F.round((F.lit(total) - lost) * F.lit(100.0) / F.lit(total), 2)
