"""Columns of any name work in gold as day, grain, measure, key and sort column: reserved words, dots, dashes."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import write_deltalake
from pyspark.sql import SparkSession

from medallion_assets.contracts import (
    BronzeTable,
    Column,
    Dimension,
    GoldTable,
    Join,
    Land,
    ReplaceDay,
    SilverTable,
    Upsert,
    count,
    not_null,
    total,
)
from medallion_assets.contracts.declaration import check
from medallion_assets.lakehouse import gold
from medallion_assets.lakehouse.gold.staleness import staleness
from medallion_assets.lakehouse.maintenance.optimize import maintain
from medallion_assets_tests.support.sample_lake import SampleLake

ONE, TWO, THREE = "2026-01-01", "2026-01-02", "2026-01-03"

NAMES = ("order-id", "group", "order.id", "größe.x", "select`ed")
BRONZE = BronzeTable(name="baskets", description="", write=Land("orders"), columns=tuple(map(Column, NAMES)))
BASKETS = SilverTable(
    name="baskets",
    description="What was bought, by weight.",
    inputs=(BRONZE,),
    write=Upsert(keys=("order-id",)),
    partition_by="group",
    columns=(
        Column("order-id"),
        Column("group", "date"),
        Column("order.id"),
        Column("größe.x", "decimal(9,2)"),
    ),
    rules=(not_null("group"),),
)
KINDS = SilverTable(
    name="kinds",
    description="What kinds of orders there are.",
    inputs=(BRONZE,),
    write=Upsert(keys=("order.id",)),
    columns=(
        Column("order.id"),
        Column("select`ed"),
    ),
)
KIND = GoldTable(
    name="dim_kind",
    description="",
    inputs=(KINDS,),
    write=Dimension(surrogate="kind.key", keys=("order.id",)),
    sort_by=("order.id",),
    columns=(Column("kind.key"), Column("order.id"), Column("select`ed")),
)
SIZES = GoldTable(
    name="sizes",
    description="",
    inputs=(BASKETS,),
    joins=(Join(KIND, on="order.id", columns=("select`ed",)),),
    write=ReplaceDay("group"),
    partition_by="group",
    sort_by=("order-id", "größe.x"),
    columns=(
        Column("group", "date"),
        Column("order-id"),
        Column("select`ed"),
        Column("größe.x", "decimal(19,2)", measure=total("größe.x")),
        Column("table", "bigint", measure=count("order-id")),
    ),
)


@pytest.fixture
def shop(spark: SparkSession, tmp_path: Path) -> SampleLake:
    return SampleLake(spark, tmp_path, {table.key: table for table in (BASKETS, KINDS, KIND, SIZES)})


def silver(shop: SampleLake, table: SilverTable, columns: Mapping[str, list]) -> None:
    """The table becomes these rows, none of them deleted."""
    types = {"group": pa.date32(), "größe.x": pa.decimal128(9, 2), "_deleted_at": pa.timestamp("us", "UTC")}
    values = {**columns, "_deleted_at": [None] * len(next(iter(columns.values())))}
    data = pa.table({name: pa.array(list_, types.get(name, pa.string())) for name, list_ in values.items()})
    by = ["group"] if "group" in columns else None
    write_deltalake(shop.lake.path(table.key), data, mode="overwrite", partition_by=by)


def kinds(shop: SampleLake, *rows: tuple[str, str]) -> None:
    names, values = zip(*rows, strict=True)
    silver(shop, KINDS, {"order.id": list(names), "select`ed": list(values)})
    shop.run(KIND.key, ONE)


def sizes(shop: SampleLake) -> list:
    return shop.rows(SIZES.key, "group", "order-id", "select`ed", "größe.x", "table")


def test_gold_by_day_with_names_of_any_kind_restates_the_days_of_a_changed_member(shop: SampleLake):
    check([BRONZE, BASKETS, KINDS, KIND, SIZES])
    days = [ONE, ONE, TWO, THREE]
    bought = {
        "order-id": ["o1", "o2", "o3", "o4"],
        "group": [date.fromisoformat(day) for day in days],
        "order.id": ["a", "b", "b", None],
        "größe.x": [Decimal(text) for text in ("1.00", "2.50", "4.00", "8.00")],
    }
    silver(shop, BASKETS, bought)
    kinds(shop, ("a", "apples"), ("b", "beer"))
    assert sorted(shop.run(SIZES.key).days) == [ONE, TWO, THREE]
    assert sizes(shop) == [
        (ONE, "o1", "apples", "1.00", 1),
        (ONE, "o2", "beer", "2.50", 1),
        (TWO, "o3", "beer", "4.00", 1),
        (THREE, "o4", "UNKNOWN", "8.00", 1),
    ]
    assert staleness(shop.lake.root, SIZES) is None
    found, newer = gold.audit_days(shop.lake, SIZES, [ONE, TWO, THREE])
    assert not newer and all(day.reconciles and not day.repeated for day in found.values())

    kinds(shop, ("a", "pears"), ("b", "beer"))
    stale = staleness(shop.lake.root, SIZES)
    assert stale is not None and [join.table.key for join in stale.dimensions] == [KIND.key]
    assert list(shop.run(SIZES.key).days) == [ONE]
    assert sizes(shop)[:2] == [(ONE, "o1", "pears", "1.00", 1), (ONE, "o2", "beer", "2.50", 1)]

    moved = bought | {"group": [date.fromisoformat(day) for day in (ONE, ONE, THREE, THREE)]}
    silver(shop, BASKETS, moved)
    shop.run(SIZES.key)
    assert [row[:2] for row in sizes(shop)] == [(ONE, "o1"), (ONE, "o2"), (THREE, "o3"), (THREE, "o4")]


@pytest.mark.long
def test_fragmented_partitions_with_names_of_any_kind_are_compacted_in_their_order(shop: SampleLake):
    day = date.fromisoformat(ONE)
    for n in range(9):
        row = {"group": [day], "order-id": [f"o{9 - n}"], "größe.x": [Decimal(n)]}
        types = {"group": pa.date32(), "größe.x": pa.decimal128(19, 2)}
        data = pa.table(
            {name: pa.array(values, types.get(name, pa.string())) for name, values in row.items()}
        )
        write_deltalake(shop.lake.path(SIZES.key), data, mode="append", partition_by=["group"])
    (result,) = maintain(shop.lake, [SIZES])
    assert (result.error, result.compacted, result.made) == ("", 9, 1)
    assert len(shop.rows(SIZES.key)) == 9
