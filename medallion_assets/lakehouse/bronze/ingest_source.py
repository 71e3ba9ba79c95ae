"""Ingests a followed source: what is new there becomes a batch, which is to silver what a file is.

A batch belongs to the day that pulls it and is named after its lower bound, the watermark. Past days pull nothing. The
order of the commits is intent, bronze, ledger, watermark: the next run replaces a batch that was interrupted.
"""

from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import partial

from pyspark.sql import functions as F

from medallion_assets.contracts.bronze import BronzeTable
from medallion_assets.contracts.column_identity import column_key
from medallion_assets.contracts.days import utc_today
from medallion_assets.contracts.technical_columns import SOURCE_FILE
from medallion_assets.contracts.watermark import SourceOffset
from medallion_assets.lakehouse.bronze.batches import (
    Batches,
    as_batch,
    batch_entry,
    bounded,
    read_batches,
    write_batch,
)
from medallion_assets.lakehouse.control import watermarks
from medallion_assets.lakehouse.control.file_ledger import LandedEntry
from medallion_assets.lakehouse.landing.column_names import clean_names
from medallion_assets.lakehouse.sources import against, label, pull
from medallion_assets.lakehouse.sources.base import Batch, Compared, SourceError
from medallion_assets.lakehouse.spark.errors import SPARK_ERRORS
from medallion_assets.lakehouse.spark.small_work import gathered, is_few
from medallion_assets.lakehouse.storage import transaction_log
from medallion_assets.lakehouse.storage.lake import Lake
from medallion_assets.lakehouse.storage.locks import one_writer

Pull = Callable[[SourceOffset | None], AbstractContextManager[Batch]]
"""Gives what a source has after an offset, or (None) from its beginning."""


@dataclass(frozen=True)
class Ingested:
    """What became of a batch.

    day: that it belongs to
    rows: how many of its rows were new
    more: the source has more
    offset, version: how far it goes, and the version of bronze with it
    is_last: bronze, at this version, is known to hold nothing that comes after the batch
    """

    day: str
    rows: int
    more: bool
    offset: SourceOffset
    version: int | None
    is_last: bool


def ingest_source(lake: Lake, table: BronzeTable, days: Collection[str]) -> None:
    """Ingests what is new at the source if today is among the days.

    SourceError where it cannot be read; the watermark of this run is then recorded as FAILED.
    """
    with one_writer(lake.root, table.key):
        batches = read_batches(lake, table)
        if utc_today() not in days:
            return
        pull_next = partial(pull, lake.spark, table.write)
        done = _ingest_next(lake, table, batches, pull_next)
        while done.more:
            done = _ingest_next(lake, table, read_batches(lake, table), pull_next, done)


def ingest_batch(lake: Lake, table: BronzeTable, pull_next: Pull, before: Ingested | None = None) -> Ingested:
    """Ingests one batch, which somebody else read from the source. before: the one that this process ingested last."""
    with one_writer(lake.root, table.key):
        return _ingest_next(lake, table, read_batches(lake, table), pull_next, before)


def _ingest_next(
    lake: Lake,
    table: BronzeTable,
    batches: Batches,
    pull_next: Pull,
    before: Ingested | None = None,
) -> Ingested:
    """Ingests one batch and records how far it goes."""
    root, key = lake.root, table.key
    since, version = watermarks.last_offset(root, key), transaction_log.version(root, key)
    is_next = before is not None and (before.offset, before.version) == (since, version) and before.is_last
    try:
        batch, rows, is_last = _ingest_batch(lake, table, batches, since, pull_next, is_next)
    except Exception as error:
        watermarks.record(root, key, watermarks.FAILED, since, 0, lake.run_id)
        if isinstance(error, SPARK_ERRORS):
            raise _unreadable(table, since, error) from error
        raise
    status = watermarks.NO_DATA if batch.offset == since and not rows else watermarks.SUCCESS
    watermarks.record(root, key, status, batch.offset, rows, lake.run_id)
    return Ingested(
        day=batches.today,
        rows=rows,
        more=batch.more,
        offset=batch.offset,
        version=transaction_log.version(root, key),
        is_last=is_last,
    )


def _unreadable(table: BronzeTable, since: SourceOffset | None, error: Exception) -> SourceError:
    changes = f"the changes since {since.value}" if since and since.value else "its rows"
    fix = "if the state that it was last read at is gone, run the job reset_watermark"
    return SourceError(f"{table.key}: {changes} cannot be read from the source; {fix}: {error}")


def _ingest_batch(
    lake: Lake,
    table: BronzeTable,
    batches: Batches,
    since: SourceOffset | None,
    pull_next: Pull,
    is_next: bool,
) -> tuple[Batch, int, bool]:
    """The batch, how many of its rows were new, and whether bronze holds nothing that comes after it.

    is_next: bronze holds nothing that comes after `since`
    """
    interrupted = batches.interrupted
    lower_bound = None if _was_read_further(since, batches.complete) else since
    with pull_next(lower_bound) as pulled:
        batch = replace(pulled, rows=pulled.rows.toDF(*clean_names(pulled.rows.columns)))
        _check_source_columns(table, batch)
        known = Compared(batch.rows, is_next) if batch.exact or is_next else None
        new = known or _not_in_bronze(lake, table, batch, since, interrupted)
        name = batches.next_name(f"from={label(table.write, since)}")
        with bounded(as_batch(table, new.rows, name, batches.today), batch.at_most) as (rows, at_most):
            if not at_most and not interrupted:
                return batch, 0, new.is_last
            entry = batch_entry(table, name, batches.today, at_most, batch.rows.columns)
            few = gathered(rows, is_few(1, at_most))  # so that they are one file
            return batch, write_batch(lake, table, few, entry, batches, interrupted), new.is_last


def _was_read_further(since: SourceOffset | None, names: Collection[str]) -> bool:
    """A batch begins at this version or at a later one: its run ended before it recorded its watermark.

    The changes since the watermark are then partly in bronze. So all rows are read and compared with bronze. Watermarks
    that are times need none of this: their rows are compared in any case.
    """
    bounds = [name.rpartition("=")[2] for name in names]
    return since is not None and any(bound.isdigit() and int(bound) >= int(since.value) for bound in bounds)


def _check_source_columns(table: BronzeTable, batch: Batch) -> None:
    existing_columns = set(map(column_key, batch.rows.columns))
    missing = [name for name in table.required_columns if column_key(name) not in existing_columns]
    if missing:
        raise SourceError(
            f"{table.key}: the source has no column {', '.join(missing)}; add it there, "
            "or mark it optional in the contract"
        )


def _not_in_bronze(
    lake: Lake, table: BronzeTable, batch: Batch, since: SourceOffset | None, interrupted: list[LandedEntry]
) -> Compared:
    """The batch beside what bronze has; batches that were interrupted do not count."""
    if not lake.exists(table.key):
        return Compared(batch.rows)
    stored = lake.read(table.key).where(~F.col(SOURCE_FILE).isin([entry.path for entry in interrupted]))
    return against(table.write, stored, batch, since)
