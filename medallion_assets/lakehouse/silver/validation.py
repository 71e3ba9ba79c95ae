"""Which rules each row breaks, whether that sends it to quarantine, and its score; all rules in one pass."""

from collections.abc import Sequence
from functools import reduce

from pyspark.sql import Column as Expression
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from medallion_assets.contracts.bronze import BronzeTable
from medallion_assets.contracts.column_identity import column_key
from medallion_assets.contracts.rules import Rule
from medallion_assets.contracts.silver import MASK_BITS, SilverTable, quarantine_masks
from medallion_assets.contracts.technical_columns import NO_CHANGE
from medallion_assets.lakehouse.landing.messages import like_messages, read_messages
from medallion_assets.lakehouse.silver.ledgers import Files, paths_of
from medallion_assets.lakehouse.silver.standardize import standardize
from medallion_assets.lakehouse.spark.expressions import quoted
from medallion_assets.lakehouse.storage.lake import Lake
from medallion_assets.lakehouse.storage.predicates import days_predicate

VALID = "NOT _quarantined AND NOT _is_void"
"""The validated rows that silver takes."""


def validated_rows(lake: Lake, table: SilverTable, files: Files) -> DataFrame:
    """The bronze rows of these files, validated."""
    landed = [_landed_rows(lake, table, source, files) for source in _sources(table, files)]
    return validate(table, reduce(_united, landed))


def valid_rows(validated: DataFrame) -> DataFrame:
    """The rows that silver takes. Needs: what `validate` adds. Drops `_landed`, which they do not have."""
    return validated.where(VALID).drop("_landed")


def _sources(table: SilverTable, files: Files) -> list[BronzeTable]:
    """The inputs that have some of the files; the first one where there is no file."""
    having = [source for source in table.inputs if any(paths_of(source, paths) for paths in files.values())]
    return having or [*table.inputs[:1]]


def _landed_rows(lake: Lake, table: SilverTable, source: BronzeTable, files: Files) -> DataFrame:
    """The rows of the files that are of this input, as landed text."""
    days = sorted(day for day, paths in files.items() if paths_of(source, paths))
    paths = sorted(path for listed in files.values() for path in paths_of(source, listed))
    rows = lake.read(source.key)
    if days:
        of_days = F.expr(days_predicate("_ingestion_date", days))
        rows = rows.where(of_days & F.col("_source_file").isin(paths))
    else:
        rows = rows.limit(0)
    if source.payload:
        return read_messages(source.payload, rows)
    return like_messages(rows) if table.reads_messages else rows


def _united(rows: DataFrame, others: DataFrame) -> DataFrame:
    """The rows of both, with the columns of both: NULL where one has none."""
    spelled = {column_key(name): name for name in rows.columns}
    known = {name: spelled.get(column_key(name), name) for name in others.columns}
    return rows.unionByName(others.withColumnsRenamed(known), allowMissingColumns=True)


def validate(table: SilverTable, landed: DataFrame) -> DataFrame:
    """As many rows as bronze gives, standardized (see there for the columns of a change).

    Needs: landed text, and the columns of bronze that begin with `_`.
    Adds: `_broken_0` and so on (a bit per rule, in the order of `table.row_rules`, 63 to a column), `_quarantined`,
    `_data_quality_score` (0 to 100; NULL of a row that is ignored); `_landed` stays of quarantined rows alone.
    """
    rules = table.row_rules
    changes = standardize(table, landed).withColumns(_broken(table, rules))
    masks = enumerate(quarantine_masks(rules))
    severe = [F.col(f"_broken_{i}").bitwiseAND(F.lit(mask).cast("long")) != 0 for i, mask in masks]
    quarantined = reduce(Expression.__or__, severe)
    return changes.select(
        *[quoted(name) for name in changes.columns if name not in ("_landed", "_op", NO_CHANGE)],
        quarantined.alias("_quarantined"),
        F.when(~F.col("_is_void"), _score(rules)).alias("_data_quality_score"),
        F.when(quarantined, F.col("_landed")).alias("_landed"),
    )


def _broken(table: SilverTable, rules: Sequence[Rule]) -> dict[str, Expression]:
    bits = [
        F.when(is_broken(table, rule), F.lit(1 << i % MASK_BITS)).otherwise(F.lit(0)).cast("long")
        for i, rule in enumerate(rules)
    ]
    starts = range(0, len(bits), MASK_BITS)
    return {
        f"_broken_{word}": reduce(Expression.bitwiseOR, bits[start : start + MASK_BITS])
        for word, start in enumerate(starts)
    }


def is_broken(table: SilverTable, rule: Rule) -> Expression:
    """A delete is validated on key, sequence and op only, and what is ignored on nothing."""
    broken = ~F.coalesce(F.expr(rule.predicate), F.lit(False)) & ~F.col("_is_void")
    return broken if set(rule.columns) <= table.validated_when_deleted else broken & ~F.col("_is_delete")


def breaks(i: int) -> Expression:
    """1 where the row breaks the rule number `i`, else 0. Needs: `_broken_0` and so on."""
    word, bit = divmod(i, MASK_BITS)
    return F.shiftright(F.col(f"_broken_{word}"), bit).bitwiseAND(F.lit(1).cast("long"))


def failed_rules(rules: Sequence[Rule]) -> Expression:
    """The names of the rules that the row breaks. Needs: `_broken_0` and so on."""
    return F.array_compact(
        F.array(*[F.when(breaks(i) == 1, F.lit(rule.name)) for i, rule in enumerate(rules)])
    )


def _score(rules: Sequence[Rule]) -> Expression:
    total = sum(rule.weight for rule in rules)
    lost = reduce(lambda a, b: a + b, [breaks(i) * rule.weight for i, rule in enumerate(rules)])
    return F.round((F.lit(total) - lost) * F.lit(100.0) / F.lit(total), 2)
