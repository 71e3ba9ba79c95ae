"""Apply changes to a table that keeps the versions of each key (SCD2): the intervals that a key's changes make.

The same three ways as in `changes`. Changes that are later than all that is stored of their keys are folded on top of
the last version, and those that only say again what is stored change nothing. With any other change whole keys are
folded again from bronze, since an interval in which equal neighbours coalesced cannot be split from itself.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from medallion_assets.contracts.silver import Scd2, SilverTable
from medallion_assets.contracts.technical_columns import PROVENANCE, VERSIONED
from medallion_assets.lakehouse.silver.merge.key_ranges import KeyRange, in_ranges, key_ranges
from medallion_assets.lakehouse.silver.merge.resolution import STORED, last_rows, same_as_current
from medallion_assets.lakehouse.silver.merge.stage import Staged, stage
from medallion_assets.lakehouse.silver.merge.tombstones import may_be_outdated
from medallion_assets.lakehouse.silver.standardize import business_columns
from medallion_assets.lakehouse.spark.expressions import quoted
from medallion_assets.lakehouse.storage.lake import Lake

_CHANGE = ("_sequence", "_is_delete", "_data_quality_score", *PROVENANCE)


def policy(table: SilverTable) -> Scd2:
    assert isinstance(table.write, Scd2), f"{table.key} keeps no versions"
    return table.write


def merge_new(
    lake: Lake,
    table: SilverTable,
    own: DataFrame,
    others: Callable[[], DataFrame],
    horizon: datetime | None = None,
) -> Staged:
    """`own`: new valid changes; `others` gives those of all other folded files, and is asked only if it must be."""
    keys = list(table.merge_keys)
    near = key_ranges(lake, table, own)
    changes = _changes(own, is_own=True)
    if not lake.exists(table.key):
        return _staged(table, changes, None, horizon)
    affected = own.select(*map(quoted, keys)).distinct()
    stored = lake.read(table.key).where(in_ranges(table, near)).join(affected, keys, "left_semi")
    last = last_rows(table, stored)
    held = changes.unionByName(_as_changes(last), allowMissingColumns=True)
    staged = _staged(table, held, last, horizon, near, on_top=True)
    if not staged.late or _say_nothing_new(table, staged.rows.where("_is_late"), stored):
        return staged
    staged.rows.unpersist()
    again = changes.unionByName(_changes(others().join(affected, keys, "left_semi"), is_own=False), True)
    return _staged(table, again, stored, horizon, near)


def _say_nothing_new(table: SilverTable, late: DataFrame, stored: DataFrame) -> bool:
    """Whether each late change says of its time what a stored version, or the gap between two, says already.

    Strictly before the last change that is stored there, which another of the same time could replace. Of a key whose
    last change is not stored, a purged tombstone, nothing is said already.
    """
    keys, values = table.merge_keys, F.struct(*map(quoted, policy(table).tracked)).alias("values")
    source = F.struct(*PROVENANCE).alias("source")
    is_version = F.col("_deleted_at").isNull().alias("is_version")
    is_last = F.expr("is_current OR _deleted_at IS NOT NULL").alias("is_last")
    last = _time(stored).alias("last")
    held = F.struct("valid_from", "valid_to", "_sequence", last, is_version, is_last, source, values)
    told = late.select(*map(quoted, keys), "_sequence", "_is_delete", source, values).join(
        stored.select(*map(quoted, keys), held.alias("_held")), list(keys), "left"
    )
    at, of = _time(told), F.col("_held").getField
    started_entry = of("is_version") & (at >= of("valid_from"))
    covered = started_entry & (of("valid_to").isNull() | (at < of("valid_to")))
    resent = (F.col("_sequence") == of("_sequence")) & (F.col("source") >= of("source"))
    again = started_entry & (at < of("last")) & F.col("values").eqNullSafe(of("values"))
    found = told.groupBy(*map(quoted, keys), "_sequence", "_is_delete", "source", at.alias("_at")).agg(
        F.bool_or(resent | again).alias("again"),
        F.bool_or(covered).alias("covered"),
        F.max(of("last")).alias("last"),
        F.coalesce(F.bool_or(of("is_last")), F.lit(False)).alias("is_known"),
    )
    return found.where("NOT is_known OR IF(_is_delete, covered OR _at >= last, NOT again)").isEmpty()


def remerge_keys(
    lake: Lake, table: SilverTable, own: DataFrame, others: DataFrame, horizon: datetime | None = None
) -> Staged:
    """All keys from all their changes: a version does not tell of every change that it rests on."""
    changes = _changes(own, is_own=True).unionByName(_changes(others, is_own=False), True)
    return _staged(table, changes, lake.read(table.key) if lake.exists(table.key) else None, horizon)


def rebuild(table: SilverTable, own: DataFrame, horizon: datetime | None = None) -> Staged:
    """A table from nothing: `own` are all valid changes."""
    return _staged(table, _changes(own, is_own=True), None, horizon)


def _changes(rows: DataFrame, is_own: bool) -> DataFrame:
    """What a fold needs of validated rows. `_since`: when the version begins that the change is the first of."""
    names = [quoted(name) for name in business_columns(rows)]
    return rows.select(
        *names,
        *_CHANGE,
        F.lit(is_own).alias("_own"),
        F.lit(False).alias("_is_stored"),
        _time(rows).alias("_since"),
    )


def _as_changes(last: DataFrame) -> DataFrame:
    """The last version of each key, or its tombstone, as a change that begins when the version did."""
    names = [quoted(name) for name in business_columns(last) if name not in VERSIONED]
    deleted = F.col("_deleted_at").isNotNull().alias("_is_delete")
    rows = last.select("*", deleted)
    return rows.select(
        *names,
        *_CHANGE,
        F.lit(False).alias("_own"),
        F.lit(True).alias("_is_stored"),
        F.col("valid_from").alias("_since"),
    )


def _time(rows: DataFrame):
    """When a change takes effect: the first column of its sequence."""
    return F.col("_sequence").getField(rows.schema["_sequence"].dataType.fieldNames()[0])  # type: ignore[attr-defined]


def _staged(
    table: SilverTable,
    changes: DataFrame,
    stored: DataFrame | None,
    horizon: datetime | None,
    near: Sequence[KeyRange] = (),
    on_top: bool = False,
) -> Staged:
    """The versions that the changes make, beside what is stored of these keys."""
    versions = _versions(table, changes, horizon if on_top else None)
    row_key = list(table.write.row_key)
    if stored is None:
        stored = versions.withColumn("_deleted_at", F.lit(None).cast("timestamp")).limit(0)
    partition = (
        quoted(table.partition_by).cast("string") if table.partition_by else F.lit(None).cast("string")
    )
    is_last = F.col("is_current") | F.col("_deleted_at").isNotNull()
    lasts = F.count_if(is_last).over(Window.partitionBy(*map(quoted, table.merge_keys)))
    current = F.struct(*STORED, "valid_to", partition.alias("partition"), lasts.alias("lasts"))
    joined = versions.join(stored.select(*row_key, current.alias("_current")), row_key, "full_outer")
    lost = F.col("_own").isNull()
    changed = F.col("valid_from").isNotNull() & ~same_as_current(*STORED, "valid_to")
    return stage(
        joined,
        action=F.when(lost, "drop").when(changed, "put"),
        wins=F.col("_is_last"),
        joins=F.count_if(F.col("_current.lasts") > 1),
        expected=0,
        late=F.col("_is_late"),
        near=near,
        horizon=horizon,
    )


def _versions(table: SilverTable, changes: DataFrame, horizon: datetime | None) -> DataFrame:
    """The changes; `valid_from` is NULL but for the last change of each version, and for a tombstone.

    `_is_last`: the last change of its key. `_is_late`: not later than a stored version that is among the changes, or
    than a tombstone that may have been purged before `horizon`.
    """
    keys, tracked = table.merge_keys, policy(table).tracked
    source = F.struct(*PROVENANCE)
    # Full ties keep the least ingestion day and file, so that the order of runs does not show.
    order = [F.col("_sequence").asc(), *[F.col(column).desc() for column in PROVENANCE]]
    along = Window.partitionBy(*map(quoted, keys)).orderBy(*order)
    stored = F.max(F.when(F.col("_is_stored"), F.struct("_sequence", "_time", source.alias("source"))))
    told = changes.withColumn("_time", _time(changes)).withColumns(
        {"_next": F.lead("_time").over(along), "_stored": stored.over(Window.partitionBy(*map(quoted, keys)))}
    )
    resent = (F.col("_sequence") == F.col("_stored._sequence")) & (source >= F.col("_stored.source"))
    late = F.col("_own") & (F.col("_time") <= F.col("_stored._time")) & ~resent
    # Of several changes at one time only the last shows.
    shows = (F.col("_next").isNull() | (F.col("_next") != F.col("_time"))) & ~F.coalesce(late, F.lit(False))
    if horizon:  # also a delete that comes first: a tombstone begins with the first of several deletes
        is_first = F.col("_time") == F.min("_time").over(Window.partitionBy(*map(quoted, keys)))
        outdated = may_be_outdated(told, horizon) | (F.col("_is_delete") & is_first)
        late = late | (F.col("_own") & F.col("_stored").isNull() & outdated)
    told = told.withColumns({"_is_last": F.col("_next").isNull(), "_is_late": late, "_shows": shows})

    shown = Window.partitionBy(*map(quoted, keys), "_shows").orderBy(*order)
    state = F.struct(
        "_is_delete", F.when(~F.col("_is_delete"), F.struct(*map(quoted, tracked))).alias("values")
    )
    begins = ~F.lag("_state").over(shown).eqNullSafe(F.col("_state"))
    ends = ~F.lead("_state").over(shown).eqNullSafe(F.col("_state"))
    told = told.withColumn("_state", state).withColumns(
        {"_begins": begins, "_ends": ends, "_until": F.lead("_time").over(shown)}
    )
    since = F.last(F.when(F.col("_begins"), F.col("_since")), ignorenulls=True)
    is_version = F.col("_shows") & F.col("_ends") & (~F.col("_is_delete") | F.col("_until").isNull())
    began = since.over(shown.rowsBetween(Window.unboundedPreceding, Window.currentRow))
    return told.withColumn("_began", began).select(
        *map(quoted, business_columns(changes)),
        "_sequence",
        "_is_delete",
        F.when(~F.col("_is_delete"), F.col("_data_quality_score")).alias("_data_quality_score"),
        *PROVENANCE,
        "_own",
        "_is_last",
        "_is_late",
        F.when(is_version, F.col("_began")).alias("valid_from"),
        F.col("_until").alias("valid_to"),
        (F.col("_until").isNull() & ~F.col("_is_delete")).alias("is_current"),
    )
