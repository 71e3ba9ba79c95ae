"""Tombstones that were purged: which changes may have been deleted before, and must ask bronze.

Tombstones older than the horizon (`control/purge_horizons.py`) are gone. An older change of a key that silver does not
hold is therefore checked against bronze.
"""

from datetime import datetime

from pyspark.sql import Column as Expression
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from medallion_assets.lakehouse.spark.expressions import quoted


def change_time(changes: DataFrame) -> Expression:
    """When a change was made: the first column of its sequence if that is a time, else its ingestion day.

    Needs: `_sequence`, `_ingestion_date`.
    """
    time = _timed_column(changes)
    return (F.col("_ingestion_date") if time is None else time).cast("timestamp")


def is_before(time: Expression, horizon: datetime) -> Expression:
    return time < F.lit(horizon.isoformat()).cast("timestamp")


def is_expired(changes: DataFrame, horizon: datetime) -> Expression:
    """Whether the change would leave a tombstone that is purged."""
    return F.col("_is_delete") & is_before(change_time(changes), horizon)


def may_be_outdated(changes: DataFrame, horizon: datetime) -> Expression:
    """Whether a purged tombstone can come after the change; a number says nothing of the time, so there any may."""
    return is_before(change_time(changes), horizon) if _timed_column(changes) is not None else F.lit(True)


def _timed_column(changes: DataFrame) -> Expression | None:
    first = changes.schema["_sequence"].dataType.fields[0]  # type: ignore[attr-defined]
    return quoted(first.name, "_sequence") if first.dataType.typeName() in ("timestamp", "date") else None
