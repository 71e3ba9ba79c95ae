"""A step of bronze for a followed source: what is new there becomes a batch, which is to silver what a file is.

A batch is of the day that pulls it and bears the name of its lower bound, the watermark. Days past pull nothing. The
order of the commits is intent, bronze, ledger, watermark: a batch that was interrupted is replaced by the next run.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime, timezone

from pyspark.sql import Column as Expression
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from medallion_assets.contracts.table import FollowDelta, FollowTable, Table
from medallion_assets.lakehouse import watermarks
from medallion_assets.lakehouse.control import LOADED, PENDING, LandedEntry, entries, record
from medallion_assets.lakehouse.formats.layout import clean_names, quoted
from medallion_assets.lakehouse.formats.reading import SPARK_ERRORS
from medallion_assets.lakehouse.sources import delta, pull
from medallion_assets.lakehouse.sources.delta import OP
from medallion_assets.lakehouse.sources.marks import Batch, Mark, SourceError
from medallion_assets.lakehouse.sources.postgres import keys_now
from medallion_assets.lakehouse.storage import Lake, files_predicate, one_writer

Ledger = Mapping[str, Mapping[str, LandedEntry]]


def follow(lake: Lake, table: Table, days: Collection[str]) -> None:
    """Takes what is new at the source if today is among the days. SourceError, noted as FAILED, if it cannot."""
    today = f"{datetime.now(timezone.utc):%Y-%m-%d}"
    if today not in days:
        return
    with one_writer(lake.root, table.key):
        since = watermarks.last_mark(lake.root, table.key)
        try:
            mark, rows = _take(lake, table, since, today)
        except Exception as error:
            watermarks.note(lake.root, table.key, watermarks.FAILED, since, 0, lake.run_id)
            if isinstance(error, SPARK_ERRORS):
                raise SourceError(f"{table.key}: the batch after {since} cannot be read: {error}") from error
            raise
        status = watermarks.NO_DATA if mark == since and not rows else watermarks.SUCCESS
        watermarks.note(lake.root, table.key, status, mark, rows, lake.run_id)


def _take(lake: Lake, table: Table, since: Mark | None, today: str) -> tuple[Mark, int]:
    """Writes the batch; returns how far the source is followed now, and how many rows came."""
    assert isinstance(table.write, FollowDelta | FollowTable)
    taken = entries(lake.root, LandedEntry, table.key)
    interrupted = [e for files in taken.values() for e in files.values() if e.status == PENDING]
    with pull(lake.spark, table.write, since) as pulled:
        batch = replace(pulled, rows=pulled.rows.toDF(*clean_names(pulled.rows.columns)))
        _hold_to_contract(table, batch)
        new = batch.rows if batch.exact else _not_held(lake, table, batch, since, interrupted)
        path = _batch_name(taken, since)
        rows = _stamped(table, new, path, today).persist()
        try:
            count = rows.count()
            if count or interrupted:
                entry = _entry(table, path, today, count, batch.rows.columns)
                _write(lake, table, rows, entry, taken, interrupted)
        finally:
            rows.unpersist()
        return batch.mark, count


def _hold_to_contract(table: Table, batch: Batch) -> None:
    there = {name.lower() for name in batch.rows.columns}
    missing = [c.name for c in table.columns if not c.optional and c.name.lower() not in there]
    if missing:
        raise SourceError(
            f"{table.key}: the source has no column {', '.join(missing)}; add it there, or mark it optional"
        )


def _not_held(
    lake: Lake, table: Table, batch: Batch, since: Mark | None, interrupted: list[LandedEntry]
) -> DataFrame:
    """The rows that bronze does not hold yet, all their fields compared."""
    if not lake.exists(table.key):
        return batch.rows
    held = lake.read(table.key).where(~F.col("_source_file").isin([entry.path for entry in interrupted]))
    if isinstance(table.write, FollowDelta):
        return delta.against(held, batch, table.write.keys)
    assert isinstance(table.write, FollowTable)
    if since and since.value:
        overlap = F.lit(since.value).cast("timestamp") - F.lit(table.write.overlap)
        held = held.where((F.col("_source_modified_at") >= overlap) | F.col("_source_modified_at").isNull())
    hashes = held.select(_hash(held).alias("_held_hash"))
    return batch.rows.join(hashes, _hash(batch.rows) == F.col("_held_hash"), "left_anti")


def _hash(rows: DataFrame) -> Expression:
    """NULLs are left out by name, so that a column which is new and empty changes nothing."""
    names = sorted(name for name in rows.columns if not name.startswith("_"))
    return F.sha2(F.to_json(F.struct(*[quoted(name) for name in names])), 256)


def _batch_name(taken: Ledger, since: Mark | None) -> str:
    """Of its lower bound; numbered where several batches were taken from the same one."""
    name = f"from={since.value if since else 'start'}"
    same = [
        entry.path
        for files in taken.values()
        for entry in files.values()
        if entry.path.split("#")[0] == name and entry.status != PENDING
    ]
    return f"{name}#{len(same) + 1}" if same else name


def _stamped(table: Table, rows: DataFrame, path: str, today: str) -> DataFrame:
    """A row of a database says itself when it was changed; the next run finds what bronze holds by that."""
    changed = F.current_timestamp()
    if isinstance(table.write, FollowTable):
        changed = quoted(table.write.watermark).try_cast("timestamp")
    return rows.select(
        *map(quoted, sorted(rows.columns)),
        F.lit(None).cast("string").alias("_corrupt_record"),
        F.lit(today).cast("date").alias("_ingestion_date"),
        F.lit(path).alias("_source_file"),
        changed.alias("_source_modified_at"),
        F.current_timestamp().alias("_ingestion_timestamp"),
    )


def _entry(table: Table, path: str, today: str, rows: int, columns: list[str]) -> LandedEntry:
    now = datetime.now(timezone.utc).isoformat(timespec="milliseconds")
    return LandedEntry(table.key, today, path, rows, now, LOADED, rows, 0, sorted(columns))


def _write(
    lake: Lake,
    table: Table,
    rows: DataFrame,
    entry: LandedEntry,
    taken: Ledger,
    interrupted: list[LandedEntry],
) -> None:
    """The batch in place of those that were interrupted; a batch without rows leaves no entry."""
    days = {entry.day, *(old.day for old in interrupted)}
    gone = {(old.day, old.path) for old in interrupted}
    kept = [old for day in days for old in taken.get(day, {}).values() if (old.day, old.path) not in gone]
    final = [*kept, entry] if entry.rows else kept
    record(lake.root, LandedEntry, table.key, days, [*kept, replace(entry, status=PENDING)])
    note = {"table": table.key}
    if interrupted:
        replaced: dict[str, set[str]] = {entry.day: {entry.path}}
        for day, path in gone:
            replaced.setdefault(day, set()).add(path)
        lake.replace(rows, table.key, files_predicate([], replaced), "_ingestion_date", note)
    else:
        lake.append(rows, table.key, "_ingestion_date", note)
    record(lake.root, LandedEntry, table.key, days, final)


def reconcile_keys(lake: Lake, table: Table) -> int:
    """Lands a delete for each key that bronze holds alive and the database has no more; returns how many.

    A watermark cannot see deletes. The deletes bear the time of the snapshot in which the keys were not there.
    """
    source = table.write
    if not isinstance(source, FollowTable):
        raise SourceError(
            f"{table.key}: a Delta source's deletes are followed as they come; there is nothing to do"
        )
    today = f"{datetime.now(timezone.utc):%Y-%m-%d}"
    with one_writer(lake.root, table.key), keys_now(lake.spark, source) as (there, taken_at):
        if not lake.exists(table.key):
            return 0
        keys = [quoted(key) for key in source.keys]
        bronze = lake.read(table.key)
        op = F.col(OP) if OP in bronze.columns else F.lit(None).cast("string")
        alive = bronze.groupBy(*keys).agg(F.max_by(op, "_ingestion_timestamp").alias("_op"))
        gone = alive.where("_op IS DISTINCT FROM 'D'").drop("_op").join(there, list(source.keys), "left_anti")
        deletes = gone.withColumns({OP: F.lit("D"), source.watermark: F.lit(taken_at)})
        taken = entries(lake.root, LandedEntry, table.key, [today])
        path = _batch_name(taken, Mark(f"keys {taken_at}"))
        rows = _stamped(table, deletes, path, today).persist()
        count = rows.count()
        if count:
            _write(lake, table, rows, _entry(table, path, today, count, deletes.columns), taken, [])
        rows.unpersist()
        return count
