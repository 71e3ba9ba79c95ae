"""A fold that is computed and not yet written, and the one commit that writes it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from delta.tables import DeltaTable
from pyspark.sql import Column as Expression
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from medallion_assets.contracts.table import VERSIONED, History, Table
from medallion_assets.lakehouse import log
from medallion_assets.lakehouse.fates import Fates, as_fates, fate, fate_counts, policy
from medallion_assets.lakehouse.formats.layout import quoted
from medallion_assets.lakehouse.horizons import change_time, is_expired
from medallion_assets.lakehouse.judging import PROVENANCE, business_columns
from medallion_assets.lakehouse.near import Range, within
from medallion_assets.lakehouse.storage import Lake

NULL_PARTITION = ""


class ConcurrentChange(RuntimeError):
    """The commit wrote other numbers of rows than were staged."""


@dataclass(frozen=True)
class Staged:
    """A fold that is computed and persisted, not yet written.

    rows: one row a change (or a stored row that must go), with `_fate` and `_action` (put, drop or NULL)
    fates: what became of the step's own rows
    puts, drops, replaced: rows to write, rows to remove, and how many of the puts replace a stored row
    old_partitions: the partitions of the stored rows that go or are replaced
    unique: every changed key has at most one current row
    near: ranges that hold every changed key; empty where nobody looked for them
    late: own changes that cannot be folded on top
    """

    rows: DataFrame
    fates: Fates
    puts: int
    drops: int
    replaced: int
    old_partitions: frozenset[str]
    unique: bool
    near: Sequence[Range] = ()
    late: int = 0


def stage(
    joined: DataFrame,
    action: Expression,
    wins: Expression,
    joins: Expression,
    expected: int,
    late: Expression | None = None,
    near: Sequence[Range] = (),
    horizon: datetime | None = None,
) -> Staged:
    """Persists the changes, joined with what is stored of them (`_current`), and counts them in one pass.

    action, wins: what to do with a row, and whether it holds the last change of its key
    joins: an aggregate that comes to `expected` if every key has at most one current row
    horizon: a tombstone of an earlier time is not put; what it would have replaced goes
    """
    if horizon:
        purged = (action == "put") & is_expired(joined, horizon)
        action = F.when(purged, F.when(F.col("_current").isNotNull(), "drop")).otherwise(action)
    rows = joined.withColumns({"_action": action, "_fate": F.when(F.col("_own"), fate(wins))}).persist()
    put, drop, known = F.col("_action") == "put", F.col("_action") == "drop", F.col("_current").isNotNull()
    partition = F.coalesce(F.col("_current.partition"), F.lit(NULL_PARTITION))
    counts = (
        rows.groupBy(*[F.when(F.col("_own"), F.col(column)).alias(column) for column in PROVENANCE])
        .agg(
            *fate_counts(),
            F.count_if(put).alias("puts"),
            F.count_if(drop).alias("drops"),
            F.count_if(put & known).alias("replaced"),
            joins.alias("joins"),
            F.count_if(F.lit(False) if late is None else late).alias("late"),
            F.collect_set(F.when((put | drop) & known, partition)).alias("old_partitions"),
        )
        .collect()
    )
    return Staged(
        rows=rows,
        fates=as_fates(counts),
        puts=sum(row["puts"] for row in counts),
        drops=sum(row["drops"] for row in counts),
        replaced=sum(row["replaced"] for row in counts),
        old_partitions=frozenset(value for row in counts for value in row["old_partitions"]),
        unique=sum(row["joins"] for row in counts) == expected,
        near=near,
        late=sum(row["late"] for row in counts),
    )


def publish(lake: Lake, table: Table, staged: Staged) -> None:
    """One commit, or none where nothing is left to apply; only new keys are appended, the rest is merged."""
    written = staged.rows.where(F.col("_action").isNotNull())
    rows = written.select(*_stored_columns(table, written), "_action")
    if staged.drops == staged.replaced == 0:
        if staged.puts:
            lake.append(rows.drop("_action"), table.key, table.partition_by)
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


def rewrite(lake: Lake, table: Table, staged: Staged) -> None:
    """The table becomes the rows that were put, whatever it held."""
    rows = staged.rows.where("_action = 'put'")
    lake.rewrite(rows.select(*_stored_columns(table, rows)), table.key, table.partition_by)


def _match(table: Table, staged: Staged) -> Expression:
    """Keys, pruned to the partitions that hold a current row to be changed: an exact set, read from the rows."""
    match = within(table, staged.near, "stored.")
    for key in policy(table).row_key:
        match = match & (F.col(f"stored.{key}") == F.col(f"change.{key}"))
    if not table.partition_by:
        return match
    partition = F.col(f"stored.{table.partition_by}").cast("string")
    held = partition.isin(sorted(staged.old_partitions - {NULL_PARTITION}))
    return match & (held | partition.isNull() if NULL_PARTITION in staged.old_partitions else held)


def _stored_columns(table: Table, changes: DataFrame) -> list[Expression]:
    """Silver's columns in their order; of a deleted key only the tombstone is kept."""
    deleted = F.col("_is_delete")
    keys = policy(table).keys
    versioned = VERSIONED if isinstance(table.write, History) else ()
    business = [
        quoted(name) if name in keys else F.when(~deleted, quoted(name)).alias(name)
        for name in business_columns(changes)
        if name not in versioned
    ]
    return [
        *business,
        *[F.col(name) for name in versioned],
        F.col("_sequence"),
        F.when(deleted, change_time(changes)).alias("_deleted_at"),
        *[F.col(name) for name in PROVENANCE],
        F.current_timestamp().alias("_silver_processed_timestamp"),
        F.col("_data_quality_score"),
    ]
