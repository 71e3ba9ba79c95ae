"""Few rows and many are carried by different plans to the same tables."""

from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from medallion_assets.lakehouse.spark import small_work
from medallion_assets_tests.support.sample_lake import SampleLake, delete, order

ONE, TWO, THREE = "2026-01-01", "2026-01-02", "2026-01-03"
STEPS = ("bronze/orders", "silver/orders", "gold/fact_orders", "gold/daily_sales")
TABLES = ("silver/orders", "quarantine/orders", "gold/fact_orders", "gold/daily_sales")
OF_ITS_RUN = ("_timestamp", "_source_modified_at")


def carried(spark: SparkSession, root: Path) -> dict[str, Any]:
    """A day with a broken row; a change, a delete and a late row; only new keys; what the steps say of the last two."""
    shop = SampleLake(spark, root)
    shop.land("orders", ONE, "a.csv", [order(f"o{i}") for i in range(5)] + [order("bad", amount="x")])
    for key in STEPS:
        shop.run(key, ONE)
    at = f"{TWO}T10:00:00Z"
    changes = [order("o1", at=at, amount="7.00"), order("new", at=at, day=TWO), delete("o2", at)]
    shop.land("orders", TWO, "a.csv", [*changes, order("o1", at=f"{ONE}T09:00:00Z")])
    shop.land(
        "orders", THREE, "a.csv", [order("o8", day=THREE), order("bad", amount="x"), order("o9", day=TWO)]
    )
    done = {day: {key: shop.run(key, day) for key in STEPS} for day in (TWO, THREE)}
    return {key: [_told(row) for row in shop.rows(key)] for key in TABLES} | {
        f"{key} {day}": dict(steps[key].days) for day, steps in done.items() for key in STEPS[2:]
    }


def _told(row: dict[str, Any]) -> dict[str, str]:
    return {name: str(value) for name, value in row.items() if not name.endswith(OF_ITS_RUN)}


@pytest.mark.long
def test_few_rows_and_many_come_to_the_same(spark: SparkSession, tmp_path: Path, monkeypatch):
    few = carried(spark, tmp_path / "few")
    monkeypatch.setattr(small_work, "_FEW_FILES", -1)
    assert carried(spark, tmp_path / "many") == few
    assert len(few["silver/orders"]) == 8 and len(few["quarantine/orders"]) == 2


def test_a_session_is_planned_for_many_again_after_few_even_if_a_step_fails(spark: SparkSession):
    names = ("spark.sql.codegen.wholeStage", "spark.sql.codegen.factoryMode", "spark.sql.adaptive.enabled")
    before = {name: spark.conf.get(name) or "" for name in names}
    wanted = ("true", "FALLBACK", "true")
    try:
        for name, value in zip(names, wanted, strict=True):
            spark.conf.set(name, value)
        with pytest.raises(ZeroDivisionError), small_work.planned_for(spark, few=True):
            assert [spark.conf.get(name) for name in names] == ["false", "NO_CODEGEN", "false"]
            raise ZeroDivisionError
        with small_work.planned_for(spark, few=False):
            assert [spark.conf.get(name) for name in names] == list(wanted)
        assert [spark.conf.get(name) for name in names] == list(wanted)
    finally:
        for name, value in before.items():
            spark.conf.set(name, value)


@pytest.mark.parametrize(
    "files, rows, size, few",
    [(1, 100, 10_000, True), (33, 100, 10_000, False), (1, 10_001, 0, False), (1, 0, 3 * 2**20, False)],
)
def test_files_rows_and_bytes_make_work_large(files: int, rows: int, size: int, few: bool):
    assert small_work.is_few(files, rows=rows, size=size) is few
