"""Apply changes to a keyed table: which change of each key wins (SCD1), what became of every row, one commit.

Three ways lead to the same table. `fold_on_top` folds new rows onto the current ones; `fold_again` folds whole keys
again from bronze, for days whose files or rules changed; `fold_anew` folds all of bronze into an empty table. They only
stage; `publish` and `rewrite` write.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from delta.tables import DeltaTable
from pyspark.sql import Column as Expression
from pyspark.sql import DataFrame, Row, Window
from pyspark.sql import functions as F

from medallion_assets.contracts.table import Table, Upsert
from medallion_assets.lakehouse import log
from medallion_assets.lakehouse.formats.layout import quoted
from medallion_assets.lakehouse.judging import PROVENANCE, business_columns
from medallion_assets.lakehouse.near import Range, key_ranges, within
from medallion_assets.lakehouse.storage import Lake

_STORED = ("_sequence", "_data_quality_score", *PROVENANCE)
_FATES = ("current", "superseded", "deleted")
_NULL_PARTITION = ""

Fates = Mapping[tuple[str, str], Mapping[str, int]]
"""(ingestion day, file) -> rows that are current, superseded or deleted."""


class ConcurrentChange(RuntimeError):
    """The commit wrote other numbers of rows than were staged."""


@dataclass(frozen=True)
class Staged:
    """A fold that is computed and persisted, not yet written.

    rows: one row a change (or a key that must go), with `_fate` and `_action` (put, drop or NULL)
    fates: what became of the step's own rows
    puts, drops, replaced: rows to write, keys to remove, and how many of the puts replace a current row
    old_partitions: the partitions of the current rows that go or are replaced
    unique: every changed key has at most one current row
    near: ranges that hold every changed key; empty where nobody looked for them
    """

    rows: DataFrame
    fates: Fates
    puts: int
    drops: int
    replaced: int
    old_partitions: frozenset[str]
    unique: bool
    near: Sequence[Range] = ()


def policy(table: Table) -> Upsert:
    assert isinstance(table.write, Upsert), f"{table.key} has no keys"
    return table.write


def fold_on_top(lake: Lake, table: Table, own: DataFrame, rows: int) -> Staged:
    """`own`: new valid changes, `rows` of them. A change applies only if it comes after what is stored."""
    near = key_ranges(lake, table, own)
    joined = _with_current(lake, table, _ranked(table, own.withColumn("_own", F.lit(True))), near)
    first = F.col("_rank") == 1
    applies = first & (F.col("_current").isNull() | _comes_after_current())
    stays = first & _same_as_current("_sequence", *PROVENANCE)
    return _stage(joined, rows, action=F.when(applies, "put"), wins=applies | stays, near=near)


def fold_again(lake: Lake, table: Table, own: DataFrame, others: DataFrame, days: list[str]) -> Staged:
    """Every key of `own`, and every key whose current row came from one of `days`, from all its changes.

    `own` and `others` (the valid rows of all other folded files) together are all changes that count.
    """
    keys = list(policy(table).keys)
    affected = own.select(*keys)
    if lake.exists(table.key):
        held = lake.read(table.key).where(F.col("_ingestion_date").cast("string").isin(days))
        affected = affected.union(held.select(*keys))
    affected = affected.distinct().persist()
    related = others.join(affected, keys, "left_semi").withColumn("_own", F.lit(False))
    history = own.withColumn("_own", F.lit(True)).unionByName(related).persist()
    joined = _with_current(lake, table, affected.join(_ranked(table, history), keys, "left"))
    first, lost = F.col("_rank") == 1, F.col("_rank").isNull() & F.col("_current").isNotNull()
    action = F.when(lost, "drop").when(first & ~_same_as_current(*_STORED), "put")
    staged = _stage(joined, history.count(), action=action, wins=first)
    affected.unpersist()
    history.unpersist()
    return staged


def fold_anew(table: Table, own: DataFrame, rows: int) -> Staged:
    """A table from nothing: `own` are all valid changes, `rows` of them."""
    ranked = _ranked(table, own.withColumn("_own", F.lit(True)))
    first = F.col("_rank") == 1
    return _stage(_join_current(table, ranked, None), rows, action=F.when(first, "put"), wins=first)


def fates_now(lake: Lake, table: Table, own: DataFrame) -> Fates:
    """What became of valid changes, by what is stored now; a change that is newer than what is stored has no fate."""
    rows = _with_current(lake, table, _ranked(table, own))
    missing = F.col("_current").isNull() | _comes_after_current()
    stays = (F.col("_rank") == 1) & _same_as_current("_sequence", *PROVENANCE)
    counts = (
        rows.withColumn("_fate", F.when(~missing, _fate(stays))).groupBy(*PROVENANCE).agg(*_fate_counts())
    )
    return _fates(counts.collect())


def is_unique(lake: Lake, table: Table) -> bool:
    """Whether no key of the whole table has two rows."""
    if not lake.exists(table.key):
        return True
    return lake.read(table.key).groupBy(*policy(table).keys).count().where("count > 1").isEmpty()


def _ranked(table: Table, changes: DataFrame) -> DataFrame:
    """Full ties keep the least ingestion day and file, so that the order of runs does not show."""
    order = [F.col("_sequence").desc(), *[F.col(column).asc() for column in PROVENANCE]]
    window = Window.partitionBy(*policy(table).keys).orderBy(*order)
    kept = F.when(~F.col("_is_delete"), F.col("_data_quality_score"))  # a tombstone has none
    return changes.withColumn("_data_quality_score", kept).withColumn("_rank", F.row_number().over(window))


def _with_current(lake: Lake, table: Table, changes: DataFrame, near: Sequence[Range] = ()) -> DataFrame:
    """Joins `_current`: what is stored of the key; NULL where nothing is. `near`: ranges that hold all the keys."""
    stored = lake.read(table.key).where(within(table, near)) if lake.exists(table.key) else None
    return _join_current(table, changes, stored)


def _join_current(table: Table, changes: DataFrame, stored: DataFrame | None) -> DataFrame:
    keys = list(policy(table).keys)
    stored = changes.limit(0) if stored is None else stored
    partition = F.col(table.partition_by).cast("string") if table.partition_by else F.lit(None).cast("string")
    current = stored.select(*keys, F.struct(*_STORED, partition.alias("partition")).alias("_current"))
    return changes.join(current, keys, "left")


def _comes_after_current() -> Expression:
    """Strictly later, or the same change from an earlier ingestion day or file."""
    sequence = F.col("_current._sequence")
    earlier_source = F.struct(*PROVENANCE) < F.struct(*[F.col(f"_current.{column}") for column in PROVENANCE])
    return (F.col("_sequence") > sequence) | ((F.col("_sequence") == sequence) & earlier_source)


def _same_as_current(*columns: str) -> Expression:
    return F.struct(*columns).eqNullSafe(
        F.struct(*[F.col(f"_current.{column}").alias(column) for column in columns])
    )


def _stage(
    joined: DataFrame, changes: int, action: Expression, wins: Expression, near: Sequence[Range] = ()
) -> Staged:
    rows = joined.withColumns({"_action": action, "_fate": F.when(F.col("_own"), _fate(wins))}).persist()
    put, drop, known = F.col("_action") == "put", F.col("_action") == "drop", F.col("_current").isNotNull()
    partition = F.coalesce(F.col("_current.partition"), F.lit(_NULL_PARTITION))
    counts = (
        rows.groupBy(*[F.when(F.col("_own"), F.col(column)).alias(column) for column in PROVENANCE])
        .agg(
            *_fate_counts(),
            F.count_if(put).alias("puts"),
            F.count_if(drop).alias("drops"),
            F.count_if(put & known).alias("replaced"),
            F.count_if(F.col("_rank").isNotNull()).alias("changes"),
            F.collect_set(F.when((put | drop) & known, partition)).alias("old_partitions"),
        )
        .collect()
    )
    return Staged(
        rows=rows,
        fates=_fates(counts),
        puts=sum(row["puts"] for row in counts),
        drops=sum(row["drops"] for row in counts),
        replaced=sum(row["replaced"] for row in counts),
        old_partitions=frozenset(value for row in counts for value in row["old_partitions"]),
        unique=sum(row["changes"] for row in counts) == changes,
        near=near,
    )


def _fate(wins: Expression) -> Expression:
    return F.when(~wins, "superseded").when(F.col("_is_delete"), "deleted").otherwise("current")


def _fate_counts() -> list[Expression]:
    return [F.count_if(F.col("_fate") == name).alias(name) for name in _FATES]


def _fates(counts: Sequence[Row]) -> Fates:
    return {
        (str(row["_ingestion_date"]), row["_source_file"]): {name: row[name] for name in _FATES}
        for row in counts
        if row["_source_file"] is not None
    }


def publish(lake: Lake, table: Table, staged: Staged, note: Mapping[str, Any]) -> None:
    """One commit, or none where nothing is left to apply; only new keys are appended, the rest is merged."""
    written = staged.rows.where(F.col("_action").isNotNull())
    rows = written.select(*_stored_columns(table, written), "_action")
    if staged.drops == staged.replaced == 0:
        if staged.puts:
            lake.append(rows.drop("_action"), table.key, table.partition_by, note)
        return
    target = DeltaTable.forPath(lake.spark, lake.path(table.key))
    there = {name.lower() for name in rows.columns}
    missing = [column for column in target.toDF().schema if column.name.lower() not in there]
    rows = rows.select("*", *[F.lit(None).cast(column.dataType).alias(column.name) for column in missing])
    rows = (
        rows.localCheckpoint()
    )  # MERGE plans its source several times over: give it a leaf, not the whole fold
    values: dict[str, str | Expression] = {
        f"`{name}`": F.col(f"change.`{name}`") for name in rows.columns if name != "_action"
    }
    (
        target.alias("stored")
        .merge(rows.alias("change"), _match(table, staged))
        .withSchemaEvolution()
        .whenMatchedDelete(F.col("change._action") == "drop")
        .whenMatchedUpdate(set=values)
        .whenNotMatchedInsert(values=values)
        .execute()
    )
    counts = log.commit_counts(lake.root, table.key)
    merged = counts.get("numTargetRowsInserted", 0) + counts.get("numTargetRowsUpdated", 0)
    if (merged, counts.get("numTargetRowsDeleted", 0)) != (staged.puts, staged.drops):
        raise ConcurrentChange(
            f"{table.key}: staged {staged.puts} rows to put and {staged.drops} to drop, merged {counts}"
        )


def rewrite(lake: Lake, table: Table, staged: Staged, note: Mapping[str, Any]) -> None:
    """The table becomes the rows that were put, whatever it held."""
    rows = staged.rows.where("_action = 'put'")
    lake.rewrite(rows.select(*_stored_columns(table, rows)), table.key, table.partition_by, note)


def _match(table: Table, staged: Staged) -> Expression:
    """Keys, pruned to the partitions that hold a current row to be changed: an exact set, read from the rows."""
    match = within(table, staged.near, "stored.")
    for key in policy(table).keys:
        match = match & (F.col(f"stored.{key}") == F.col(f"change.{key}"))
    if not table.partition_by:
        return match
    partition = F.col(f"stored.{table.partition_by}").cast("string")
    held = partition.isin(sorted(staged.old_partitions - {_NULL_PARTITION}))
    return match & (held | partition.isNull() if _NULL_PARTITION in staged.old_partitions else held)


def _stored_columns(table: Table, changes: DataFrame) -> list[Expression]:
    """Silver's columns in their order; of a deleted key only the tombstone is kept."""
    deleted = F.col("_is_delete")
    keys = policy(table).keys
    business = [
        quoted(name) if name in keys else F.when(~deleted, quoted(name)).alias(name)
        for name in business_columns(changes)
    ]
    first = changes.schema["_sequence"].dataType.fields[0]  # type: ignore[attr-defined]
    has_time = first.dataType.typeName() in ("timestamp", "date")
    change_time = F.col(f"_sequence.{first.name}" if has_time else "_ingestion_date").cast("timestamp")
    return [
        *business,
        F.col("_sequence"),
        F.when(deleted, change_time).alias("_deleted_at"),
        *[F.col(name) for name in PROVENANCE],
        F.current_timestamp().alias("_silver_processed_timestamp"),
        F.col("_data_quality_score"),
    ]
