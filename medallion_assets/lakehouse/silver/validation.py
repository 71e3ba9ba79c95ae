"""From landed text to validated changes: typed, cleaned, every row rule evaluated in one pass."""

from collections.abc import Sequence
from datetime import timedelta
from functools import reduce

from pyspark.sql import Column as Expression
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from medallion_assets.contracts.rules import Rule
from medallion_assets.contracts.silver import DELETE_OPS, MASK_BITS, SilverTable, quarantine_masks
from medallion_assets.contracts.technical_columns import PROVENANCE, VERSIONED
from medallion_assets.lakehouse.silver.standardize import _sequenced, typed
from medallion_assets.lakehouse.spark.expressions import quoted


def validate(table: SilverTable, landed: DataFrame) -> DataFrame:
    """Bronze rows in, the same number of rows out: business columns typed and cleaned, then

    `_sequence`, `_is_delete`, `_broken_0` and so on (a bit per rule, in the order of `table.row_rules`, 63 to a
    column), `_quarantined`, `_data_quality_score` (0 to 100), `_landed` (the text as landed, for quarantined rows) and
    the provenance.
    """
    op = table.write.op_column
    contract = {name.lower() for name in (*table.column_names, *([op] if op else []))}
    there = {name.lower(): name for name in landed.columns if not name.startswith("_")}
    extras = [name for lower, name in there.items() if lower not in contract]
    text = {
        name: quoted(there[name.lower()]) if name.lower() in there else F.lit(None).cast("string")
        for name in (*table.column_names, *([op] if op else []))
    }
    provenance = [name for name in landed.columns if name.startswith("_")]
    changes = landed.select(
        *[typed(column, text[column.name]).alias(column.name) for column in table.columns],
        *[quoted(name).alias(_apart(table, name)) for name in extras],
        *[F.col(name) for name in provenance],
        F.struct(*[text[n].alias(n) for n in text], *[quoted(n) for n in extras]).alias("_landed"),
        (F.coalesce(F.upper(F.nullif(F.trim(text[op]), F.lit(""))), F.lit("U")) if op else F.lit("U")).alias(
            "_op"
        ),
    )
    if table.transform:
        changes = table.transform(changes)
    return _sequenced(table, _ruled(table, changes.withColumn("_is_delete", F.col("_op").isin(*DELETE_OPS))))


def _apart(table: SilverTable, name: str) -> str:
    """The name of a landed column that the contract does not name, apart from those that versions bear."""
    is_taken = table.write.keeps_versions and name.lower() in VERSIONED
    return f"landed_{name}" if is_taken else name


def _ruled(table: SilverTable, changes: DataFrame) -> DataFrame:
    rules = table.row_rules
    bits = [
        F.when(is_broken(table, rule), F.lit(1 << i % MASK_BITS)).otherwise(F.lit(0)).cast("long")
        for i, rule in enumerate(rules)
    ]
    words = [bits[start : start + MASK_BITS] for start in range(0, len(bits), MASK_BITS)]
    changes = changes.withColumns(
        {_word(i * MASK_BITS): reduce(Expression.bitwiseOR, word) for i, word in enumerate(words)}
    )
    quarantined = reduce(
        Expression.__or__,
        [
            F.col(_word(i * MASK_BITS)).bitwiseAND(F.lit(mask).cast("long")) != 0
            for i, mask in enumerate(quarantine_masks(rules))
        ],
    )
    return changes.select(
        *[quoted(name) for name in changes.columns if name not in ("_landed", "_op")],
        quarantined.alias("_quarantined"),
        _score(rules).alias("_data_quality_score"),
        F.when(quarantined, F.col("_landed")).alias("_landed"),
    )


def is_broken(table: SilverTable, rule: Rule) -> Expression:
    """A delete is validated on key, sequence and op only."""
    broken = ~F.coalesce(F.expr(rule.predicate), F.lit(False))
    return broken if set(rule.columns) <= table.validated_when_deleted else broken & ~F.col("_is_delete")


def _word(i: int) -> str:
    """The column with the bit of rule number `i`."""
    return f"_broken_{i // MASK_BITS}"


def breaks(i: int) -> Expression:
    """1 where the row breaks the rule number `i`, else 0."""
    return F.shiftright(F.col(_word(i)), i % MASK_BITS).bitwiseAND(F.lit(1).cast("long"))


def failed_rules(rules: Sequence[Rule]) -> Expression:
    """The names of the rules that the row breaks."""
    return F.array_compact(
        F.array(*[F.when(breaks(i) == 1, F.lit(rule.name)) for i, rule in enumerate(rules)])
    )


def _score(rules: Sequence[Rule]) -> Expression:
    total = sum(rule.weight for rule in rules)
    lost = reduce(lambda a, b: a + b, [breaks(i) * rule.weight for i, rule in enumerate(rules)])
    return F.round((F.lit(total) - lost) * F.lit(100.0) / F.lit(total), 2)


def tally(table: SilverTable, validated: DataFrame) -> DataFrame:
    """One row per ingestion day and file: rows, quarantined, score_sum and rows that break rule i (`broken_<i>`).

    `newest`: the latest time (or number) of change of a valid row, as text; not of one more than a day ahead of us.
    """
    return validated.groupBy(*PROVENANCE).agg(
        F.count("*").alias("rows"),
        F.sum(F.col("_quarantined").cast("long")).alias("quarantined"),
        F.sum("_data_quality_score").alias("score_sum"),
        *[F.sum(breaks(i)).alias(f"broken_{i}") for i in range(len(table.row_rules))],
        _newest(table).alias("newest"),
    )


def _newest(table: SilverTable) -> Expression:
    first = table.write.sequence[:1]
    if not first:
        return F.lit(None).cast("string")
    value, counts = quoted(first[0]), ~F.col("_quarantined")
    if next((column.type for column in table.columns if column.name == first[0]), "") in (
        "timestamp",
        "date",
    ):
        counts = counts & (value <= F.current_timestamp() + F.lit(timedelta(days=1)))
    return F.max(F.when(counts, value)).cast("string")
