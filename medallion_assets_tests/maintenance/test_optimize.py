"""Daily upkeep: fragmented days are compacted, old files go; no row changes, no reader and no day of gold notices."""

import dataclasses
import os
import re
import time
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import dagster as dg
import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake
from pyspark.sql import DataFrame

from medallion_assets.commands.maintenance import report
from medallion_assets.lakehouse import gold
from medallion_assets.lakehouse.control import gold_refreshes, run_log
from medallion_assets.lakehouse.gold.checks import blocked_by as gold_blocked_by
from medallion_assets.lakehouse.gold.staleness import staleness
from medallion_assets.lakehouse.maintenance.optimize import maintain
from medallion_assets.lakehouse.maintenance.retention import replaced_at, retention
from medallion_assets.lakehouse.maintenance.time_travel import commit_times
from medallion_assets.lakehouse.silver.audit import audit_days
from medallion_assets.lakehouse.silver.checks import blocked_by
from medallion_assets.lakehouse.storage import transaction_log
from medallion_assets.orchestration.jobs.daily_maintenance import build_daily_maintenance
from medallion_assets_tests.support.dagster_runner import DagsterRunner, defs
from medallion_assets_tests.support.sample_lake import TABLES, SampleLake, delete, order

pytestmark = pytest.mark.long

ONE, TWO, THREE = "2026-01-01", "2026-01-02", "2026-01-03"
FACTS, ORDERS = TABLES["gold/fact_orders"], TABLES["silver/orders"]
_TIME = pa.timestamp("us", tz="UTC")
_ARROW = {
    "order_date": pa.date32(),
    "order_amount": pa.decimal128(18, 2),
    "updated_at": _TIME,
    "_deleted_at": _TIME,
}


def scatter(shop: SampleLake, key: str, rows: DataFrame) -> None:
    """The table becomes these rows in one file each, as many small appends leave them."""
    writer = rows.write.format("delta").partitionBy("order_date").option("maxRecordsPerFile", 1)
    writer.mode("overwrite").save(shop.lake.path(key))


def silver_orders(shop: SampleLake, *rows: tuple[str, str | None, str | None]) -> DataFrame:
    """Of (order, day, customer); without a day a tombstone."""
    at = datetime(2026, 1, 1, 10, tzinfo=timezone.utc)
    values = [
        {
            "order_id": name,
            "customer_id": customer,
            "product_id": "p1",
            "order_date": date.fromisoformat(day) if day else None,
            "order_amount": Decimal("10.00"),
            "order_status": "COMPLETED",
            "updated_at": at,
            "_deleted_at": None if day else at,
        }
        for name, day, customer in rows
    ]
    schema = pa.schema({name: _ARROW.get(name, pa.string()) for name in values[0]})
    return shop.spark.createDataFrame(pa.Table.from_pylist(values, schema=schema))


def files(shop: SampleLake, key: str) -> dict[str | None, int]:
    """Partition value -> number of files."""
    values = [value for value, _ in transaction_log.active_files(shop.table(key)).values()]
    return {value: values.count(value) for value in values}


def orphan(folder: Path, days_old: float) -> Path:
    """A file of no commit, such as a killed writer leaves."""
    path = folder / "part-00000-orphan.snappy.parquet"
    path.write_bytes(b"four")
    then = time.time() - days_old * 86400
    os.utime(path, (then, then))
    return path


def test_upkeep_rearranges_files_and_neither_readers_nor_gold_notice(shop: SampleLake):
    sold = [(f"o{n}", ONE, f"c{n}") for n in range(9)]
    gone = [(f"x{n}", None, None) for n in range(9)]
    scatter(shop, ORDERS.key, silver_orders(shop, *sold, ("p1", TWO, None), ("p2", TWO, "c1"), *gone))
    shop.run(FACTS.key, ONE)
    scatter(shop, FACTS.key, shop.lake.read(FACTS.key))
    keys = [ORDERS.key, FACTS.key]
    assert files(shop, ORDERS.key) == {ONE: 9, TWO: 2, None: 9}
    untouched = {f for f in shop.files(ORDERS.key) if f"={TWO}" in f}
    rows, read_of = {key: shop.rows(key) for key in keys}, shop.table(ORDERS.key).version()
    old = orphan(Path(shop.lake.path(ORDERS.key)), days_old=8)
    young = orphan(Path(shop.lake.path(ORDERS.key), f"order_date={TWO}"), days_old=6)
    running = shop.lake.read(ORDERS.key).select("order_id").toLocalIterator()
    planned, by_delta_rs = shop.lake.read(ORDERS.key), shop.table(ORDERS.key).to_pyarrow_dataset()
    seen = [next(running)[0]]

    saved = {table.key: table for table in maintain(shop.lake, TABLES.values())}

    assert (saved[ORDERS.key].compacted, saved[ORDERS.key].made) == (18, 2)
    assert (saved[ORDERS.key].removed, saved[ORDERS.key].bytes_removed) == (1, 4)
    assert not any(table.error for table in saved.values())
    assert files(shop, ORDERS.key) == {ONE: 1, TWO: 2, None: 1}
    assert untouched < shop.files(ORDERS.key)
    assert files(shop, FACTS.key) == {ONE: 1, TWO: 2}
    (sorting,) = shop.table(FACTS.key).history(limit=1)
    assert sorting["operationParameters"]["zOrderBy"] == '["customer_id"]'
    assert {key: shop.rows(key) for key in keys} == rows
    assert young.exists() and not old.exists()

    everything = ["p1", "p2", *[name for name, *_ in (*sold, *gone)]]
    everything.sort()
    assert sorted([*seen, *[row[0] for row in running]]) == everything
    assert sorted(row[0] for row in planned.select("order_id").collect()) == everything
    assert sorted(by_delta_rs.to_table(columns=["order_id"])["order_id"].to_pylist()) == everything

    assert staleness(shop.lake.root, FACTS) is None
    figures, newer = gold.audit_days(shop.lake, FACTS, [ONE, TWO])
    assert newer  # the version that gold was computed of is no longer the current one, and is read
    told = [(figures[day].rows, gold_blocked_by(FACTS, figures[day])) for day in (ONE, TWO)]
    assert told == [(9, None), (2, None)]
    replaced = commit_times(shop.lake.root, ORDERS.key)[read_of + 1]
    assert replaced_at(shop.lake.root, ORDERS.key) == {FACTS.key: replaced}

    versions = shop.versions(keys)
    assert not any(maintain(shop.lake, TABLES.values()))
    assert shop.versions(keys) == versions

    changed = shop.lake.read(ORDERS.key).where("order_id = 'p1'")
    shop.lake.append(changed, ORDERS.key, "order_date")
    after = staleness(shop.lake.root, FACTS)
    assert after is not None and after.days == {TWO}


def test_days_touched_before_and_after_a_rearrangement_are_told_and_rearranged_ones_are_not(tmp_path: Path):
    path = str(tmp_path / "silver" / "orders")

    def append(day: str) -> None:
        write_deltalake(path, pa.table({"day": [day], "n": [1]}), mode="append", partition_by=["day"])

    append(ONE)
    append(ONE)
    since = DeltaTable(path).version()
    append(THREE)
    assert DeltaTable(path).optimize.compact()["numFilesRemoved"] == 2
    assert transaction_log.affected_partitions(str(tmp_path), ORDERS.key, since) == {THREE}
    append(TWO)
    append(TWO)
    DeltaTable(path).optimize.compact()
    assert transaction_log.affected_partitions(str(tmp_path), ORDERS.key, since) == {TWO, THREE}
    assert transaction_log.affected_partitions(str(tmp_path), ORDERS.key, since + 2) == {TWO}
    assert transaction_log.affected_partitions(str(tmp_path), ORDERS.key, 99) is None


def test_removed_files_are_kept_for_a_week_and_for_as_long_as_gold_reads_an_older_version():
    now = datetime(2026, 1, 20, 3, tzinfo=timezone.utc)
    assert retention(now, []) == timedelta(hours=168)
    assert retention(now, [datetime(2026, 1, 19, 3, tzinfo=timezone.utc)]) == timedelta(hours=168)
    long_ago, newer = (datetime(2026, 1, day, 3, tzinfo=timezone.utc) for day in (10, 15))
    assert retention(now, [newer, long_ago]) == timedelta(days=10, hours=1)


def test_nothing_is_removed_while_gold_reads_a_version_that_was_replaced_over_a_week_ago(shop: SampleLake):
    root, path = shop.lake.root, shop.lake.path(ORDERS.key)
    for key in (ORDERS.key, FACTS.key):
        write_deltalake(shop.lake.path(key), pa.table({"n": [1]}))
    write_deltalake(path, pa.table({"n": [2]}), mode="overwrite")
    gold_refreshes.record_refresh(root, FACTS, {ORDERS.key: 0})
    commit = Path(path, "_delta_log/00000000000000000001.json")
    week_old = re.sub(
        r'("timestamp":)(\d+)', lambda m: f"{m[1]}{int(m[2]) - 7 * 86_400_000}", commit.read_text()
    )
    commit.write_text(week_old)
    old = orphan(Path(path), days_old=8)

    saved = {table.key: table for table in maintain(shop.lake, [ORDERS, FACTS])}
    assert saved[ORDERS.key].waits_for == FACTS.key and old.exists()
    assert str(saved[ORDERS.key]).endswith("older files wait until gold/fact_orders is materialized")

    gold_refreshes.record_refresh(root, FACTS, {ORDERS.key: transaction_log.version(root, ORDERS.key)})
    assert replaced_at(root, ORDERS.key) == {}


def test_a_table_that_cannot_be_kept_fails_the_job_after_the_others_are_kept(desk: DagsterRunner):
    root = desk.shop.lake.root
    for n in range(9):
        moment = datetime(2026, 1, 1, n, tzinfo=timezone.utc)
        run_log.append(root, [run_log.RunEntry(ORDERS.key, ONE, f"r{n}", run_log.OK, "1", moment)])
    ledger = Path(root, run_log.RunEntry.KEY)
    old, young = orphan(ledger, days_old=8), ledger / "young.parquet"
    young.write_bytes(b"")
    entries = run_log.entries_of(root, ORDERS.key, ONE, ONE)
    corrupt = Path(root, "silver/orders/_delta_log/00000000000000000000.json")
    corrupt.parent.mkdir(parents=True)
    corrupt.write_text("{no json")

    job, schedule = build_daily_maintenance(TABLES)
    assert (schedule.cron_schedule, schedule.execution_timezone) == ("0 3 * * *", "UTC")
    assert schedule.default_status is dg.DefaultScheduleStatus.STOPPED

    def run() -> dg.ExecuteInProcessResult:
        return job.execute_in_process(instance=desk.instance, resources=defs.resources, raise_on_error=False)

    result = run()
    (failed,) = [event.step_failure_data for event in result.all_events if event.is_step_failure]
    assert failed.user_failure_data and "silver/orders: " in str(failed.user_failure_data.description)
    told = report(failed.user_failure_data.metadata)
    assert told[-1] == "  2 tables: 0 rows expired, 9 files compacted, 1 removed (4 bytes)"
    assert "control/run_ledger: 9 files" in "\n".join(told)
    assert len(DeltaTable(ledger).file_uris()) == 1 and young.exists() and not old.exists()
    assert run_log.entries_of(root, ORDERS.key, ONE, ONE) == entries and len(entries) == 9

    corrupt.unlink()
    corrupt.parent.rmdir()
    result = run()
    assert result.success
    (done,) = [event.step_output_data for event in result.all_events if event.is_successful_output]
    (total,) = report(done.metadata)
    assert total.endswith(": 0 rows expired, 0 files compacted, 0 removed (0 bytes)")


def test_rows_expire_where_the_contract_says_so(shop: SampleLake):
    orders = dataclasses.replace(ORDERS, purge_after=timedelta(days=30))
    shop.land("orders", ONE, "a.csv", [order("o1"), order("o2"), order("o3", amount="?")])
    shop.land("orders", TWO, "a.csv", [delete("o1", "2026-01-02T00:00:00Z")])
    shop.orders(ONE, TWO)
    told = [str(saved) for saved in maintain(shop.lake, [orders]) if saved.expired]
    assert told == ["silver/orders: 2 tombstones and quarantined rows expired"]
    assert [row["order_id"] for row in shop.rows("silver/orders")] == ["o2"]
    assert shop.rows("quarantine/orders") == []
    assert all(
        blocked_by(orders, figures) is None for figures in audit_days(shop.lake, orders, [ONE, TWO]).values()
    )
    assert not any(maintain(shop.lake, [orders]))
