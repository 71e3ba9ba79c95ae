"""Tables that were written with INT96 times are brought along once, and no row and no day of gold notices."""

import pyarrow.parquet as pq

from medallion_assets.lakehouse.gold.staleness import staleness
from medallion_assets.lakehouse.maintenance.int96 import rewrite_int96
from medallion_assets_tests.support.sample_lake import TABLES, SampleLake, order

DAY = "2026-01-05"
FAR = ["0001-01-01T00:00:00Z", "2026-01-05T10:00:00.123456Z"]


def physical_types(shop: SampleLake, key: str) -> set[str]:
    schemas = [pq.ParquetFile(file.removeprefix("file://")).schema for file in shop.files(key)]
    return {schema.column(i).physical_type for schema in schemas for i in range(len(schema))}


def test_times_become_microseconds_and_any_time_can_be_read(shop: SampleLake):
    key = "silver/orders"
    shop.spark.conf.set("spark.sql.parquet.outputTimestampType", "INT96")
    try:
        shop.land("orders", DAY, "a.csv", [order("o1", day=DAY), order("o2", day="2026-01-04")])
        shop.materialize(DAY, last="gold/fact_orders")
    finally:
        shop.spark.conf.set("spark.sql.parquet.outputTimestampType", "TIMESTAMP_MICROS")
    before = shop.rows(key)
    assert "INT96" in physical_types(shop, key)
    rewrite_int96(shop.lake, key)
    assert "INT96" not in physical_types(shop, key)
    assert shop.rows(key) == before
    assert not staleness(shop.lake.root, TABLES["gold/fact_orders"])
    version = shop.table(key).version()
    rewrite_int96(shop.lake, key)
    assert shop.table(key).version() == version

    shop.land("orders", DAY, "b.csv", [order(f"t{i}", at=at, day=DAY) for i, at in enumerate(FAR)])
    shop.orders(DAY)
    times = {row["order_id"]: str(row["updated_at"]) for row in shop.rows(key)}
    assert times["t0"] == "0001-01-01 00:00:00+00:00" and times["t1"] == "2026-01-05 10:00:00.123456+00:00"
