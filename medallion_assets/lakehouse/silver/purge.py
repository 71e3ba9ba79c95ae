"""The end of what silver keeps beside its live rows: tombstones and quarantined rows. Bronze keeps everything."""

from dataclasses import dataclass
from datetime import datetime, timezone

from delta.tables import DeltaTable
from pyspark.sql import Column as Expression
from pyspark.sql import functions as F

from medallion_assets.contracts.silver import SilverTable
from medallion_assets.lakehouse.control.file_ledger import FoldedEntry, entries
from medallion_assets.lakehouse.control.purge_horizons import last_horizon, record_horizon
from medallion_assets.lakehouse.silver.ledgers import landed_entries, unchanged_files, with_rows
from medallion_assets.lakehouse.silver.merge.tombstones import is_before
from medallion_assets.lakehouse.silver.quarantine import quarantine_key
from medallion_assets.lakehouse.storage import transaction_log
from medallion_assets.lakehouse.storage.lake import Lake
from medallion_assets.lakehouse.storage.locks import one_writer
from medallion_assets.lakehouse.storage.predicates import days_predicate


@dataclass(frozen=True)
class Expired:
    """How many rows were removed."""

    tombstones: int = 0
    quarantined: int = 0


def purge_expired(lake: Lake, table: SilverTable, now: datetime) -> Expired:
    """Removes what is older than the contract's `purge_after`; no commit where nothing is. `now` bears a zone."""
    if table.purge_after is None:
        return Expired()
    with one_writer(lake.root, table.key):
        before = last_horizon(lake.root, table)
        horizon = (now - table.purge_after).astimezone(timezone.utc)
        horizon = max(horizon, before) if before else horizon
        old, days = is_before(F.col("_deleted_at"), horizon), _quarantined_days(lake, table, horizon)
        has_old = table.write.has_keys and _holds(lake, table.key, old)
        if not has_old and not days:
            return Expired()
        record_horizon(lake.root, table.key, horizon)
        return Expired(
            _delete(lake, table.key, old) if has_old else 0,
            _delete_quarantined(lake, table, days) if days else 0,
        )


def _quarantined_days(lake: Lake, table: SilverTable, horizon: datetime) -> list[str]:
    """Days before the horizon's; not one that silver has not merged as it is in bronze, such as a blocked one."""
    held = transaction_log.partition_bytes(lake.root, quarantine_key(table.name))
    days = sorted(day for day in held if day and day < str(horizon.date()))
    landed = landed_entries(lake.root, table, days)
    folded = unchanged_files(entries(lake.root, FoldedEntry, table.key, days), landed)
    return [day for day in days if folded[day] == set(with_rows(landed[day]))]


def _delete_quarantined(lake: Lake, table: SilverTable, days: list[str]) -> int:
    key = quarantine_key(table.name)
    with one_writer(lake.root, key):
        return _delete(lake, key, F.expr(days_predicate("_ingestion_date", days)))


def _holds(lake: Lake, key: str, rows: Expression) -> bool:
    return lake.exists(key) and not lake.read(key).where(rows).isEmpty()


def _delete(lake: Lake, key: str, rows: Expression) -> int:
    with lake.marked(key):
        DeltaTable.forPath(lake.spark, lake.path(key)).delete(rows)
    return transaction_log.commit_counts(lake.root, key)["numDeletedRows"]
