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
    with one_writer(lake.root, table.key):
        taken = _ledger(lake, table)
        if today not in days:
            return
        since = watermarks.last_mark(lake.root, table.key)
        try:
            mark, rows = _take(lake, table, taken, since, today)
        except Exception as error:
            watermarks.note(lake.root, table.key, watermarks.FAILED, since, 0, lake.run_id)
            if isinstance(error, SPARK_ERRORS):
                mend = "if what it changed from is gone, run the job reset_watermark"
                raise SourceError(
                    f"{table.key}: what came after {since} cannot be read; {mend}: {error}"
                ) from error
            raise
        status = watermarks.NO_DATA if mark == since and not rows else watermarks.SUCCESS
        watermarks.note(lake.root, table.key, status, mark, rows, lake.run_id)


def _ledger(lake: Lake, table: Table) -> Ledger:
    """What bronze took; read from its rows again where the ledger was lost."""
    taken = entries(lake.root, LandedEntry, table.key)
    if not taken and lake.exists(table.key):
        bronze = lake.read(table.key)
        columns = [name for name in bronze.columns if not name.startswith("_")]
        counts = bronze.groupBy("_ingestion_date", "_source_file").count().collect()
        found = [_entry(table, row[1], str(row[0]), row[2], columns) for row in counts]
        record(lake.root, LandedEntry, table.key, {entry.day for entry in found}, found)
        taken = entries(lake.root, LandedEntry, table.key)
    return taken


def _take(lake: Lake, table: Table, taken: Ledger, since: Mark | None, today: str) -> tuple[Mark, int]:
    """Writes the batch; returns how far the source is followed now, and how many rows came."""
    assert isinstance(table.write, FollowDelta | FollowTable)
    batches = [entry for files in taken.values() for entry in files.values()]
    interrupted = [entry for entry in batches if entry.status == PENDING]
    done = [entry for entry in batches if entry.status != PENDING]
    # A Delta source that was read further than its watermark says is compared with what bronze holds.
    known = None if isinstance(table.write, FollowDelta) and _is_behind(since, done) else since
    with pull(lake.spark, table.write, known) as pulled:
        batch = replace(pulled, rows=pulled.rows.toDF(*clean_names(pulled.rows.columns)))
        _hold_to_contract(table, batch)
        new = batch.rows if batch.exact else _not_held(lake, table, batch, since, interrupted)
        path = f"batch-{_number(done) + 1}/from={since.value if since else 'start'}"
        rows = _stamped(table, new, path, today).persist()
        try:
            count = rows.count()
            if count or interrupted:
                entry = _entry(table, path, today, count, batch.rows.columns)
                _write(lake, table, rows, entry, taken, interrupted)
        finally:
            rows.unpersist()
        return batch.mark, count


def _number(batches: Collection[LandedEntry]) -> int:
    """Of the last batch. Names begin with it, so that their order is that of arrival."""
    return max((int(entry.path.split("/")[0].removeprefix("batch-")) for entry in batches), default=0)


def _is_behind(since: Mark | None, batches: Collection[LandedEntry]) -> bool:
    """A batch was taken from this version on, or from a later one: its run ended before it noted how far it came."""
    bounds = [entry.path.rpartition("=")[2] for entry in batches]
    return since is not None and any(bound.isdigit() and int(bound) >= int(since.value) for bound in bounds)


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


def reconcile_keys(lake: Lake, table: Table) -> tuple[str, int]:
    """Lands a delete for each key that bronze holds alive and the database has no more; returns the day and how many.

    A watermark cannot see deletes. A delete bears the key's last time of change, after which it comes by itself: a row
    that comes back later is newer, whatever clock stamped it.
    """
    source = table.write
    if not isinstance(source, FollowTable):
        raise SourceError(
            f"{table.key}: a Delta source's deletes come with its changes; there is nothing to do"
        )
    today = f"{datetime.now(timezone.utc):%Y-%m-%d}"
    with one_writer(lake.root, table.key), keys_now(lake.spark, source) as there:
        taken = _ledger(lake, table)
        if not taken:
            return today, 0
        rows = _stamped(table, _deletes(lake, table, there), _next_reconciliation(taken), today).persist()
        try:
            count = rows.count()
            if count:
                entry = _entry(table, _next_reconciliation(taken), today, count, table.column_names)
                _write(lake, table, rows, entry, taken, [])
        finally:
            rows.unpersist()
        return today, count


def _next_reconciliation(taken: Ledger) -> str:
    done = [entry for files in taken.values() for entry in files.values()]
    return f"batch-{_number(done) + 1}/keys"


def _deletes(lake: Lake, table: Table, there: DataFrame) -> DataFrame:
    """One for each key whose last row in bronze is none and that is not `there`."""
    source = table.write
    assert isinstance(source, FollowTable)
    bronze = lake.read(table.key)
    op = F.col(OP) if OP in bronze.columns else F.lit(None).cast("string")
    last = F.coalesce(F.max("_source_modified_at"), F.current_timestamp()).cast("string")
    held = bronze.groupBy(*map(quoted, source.keys)).agg(
        F.max_by(op, "_ingestion_timestamp").alias("_op"), last.alias(source.watermark)
    )
    gone = held.where("_op IS DISTINCT FROM 'D'").drop("_op").join(there, list(source.keys), "left_anti")
    return gone.withColumn(OP, F.lit("D"))
