"""Contracts that changed over stored tables: refused before any write, and mended by full_refresh, silver and gold."""

from dataclasses import replace
from typing import Any

import pytest
from pyspark.sql import SparkSession

from medallion_assets.contracts import (
    BronzeTable,
    Column,
    Extract,
    GoldTable,
    Land,
    ReplaceDay,
    SilverTable,
    Table,
    Upsert,
    count,
    not_null,
    total,
)
from medallion_assets.contracts.declaration import check
from medallion_assets.contracts.stored import IncompatibleContract
from medallion_assets.lakehouse import gold, silver
from medallion_assets.lakehouse.silver.checks import blocked_by
from medallion_assets.lakehouse.silver.full_refresh import BlockedDays
from medallion_assets_tests.support.sample_lake import TABLES, SampleLake

ONE, TWO = "2026-01-05", "2026-01-06"
BRONZE = BronzeTable(
    name="visits",
    description="As landed",
    write=Land("orders"),
    columns=(
        Column("id"),
        Column("day"),
        Column("at"),
        Column("n"),
        Column("shop"),
        Column("op", optional=True),
    ),
)
SILVER = SilverTable(
    name="visits",
    description="Visits",
    inputs=(BRONZE,),
    write=Upsert(keys=("id",), sequence_by=("at",)),
    partition_by="day",
    columns=(
        Column("id"),
        Column("day", "date"),
        Column("at", "timestamp"),
        Column("n", "int"),
        Column("shop"),
    ),
    rules=(not_null("day"),),
)
GOLD = GoldTable(
    name="visits_by_day",
    description="Visits by day",
    inputs=(SILVER,),
    write=ReplaceDay("day"),
    partition_by="day",
    columns=(
        Column("day", "date"),
        Column("visits", "bigint", measure=count("id")),
        Column("people", "bigint", measure=total("n")),
    ),
)


def visit(key: str, day: str, at: str, n: int = 1) -> dict[str, Any]:
    return {"id": key, "day": day, "at": f"{at}T10:00:00Z", "n": n, "shop": "s1"}


@pytest.fixture
def filled(shop: SampleLake) -> SampleLake:
    shop.land("orders", ONE, "a.csv", [visit("a", ONE, ONE), visit("b", ONE, ONE, 2)])
    shop.land("orders", TWO, "a.csv", [visit("a", TWO, TWO, 3)])
    put(shop, BRONZE, SILVER, GOLD)
    for key in ("bronze/visits", "silver/visits", "gold/visits_by_day"):
        shop.run(key, ONE, TWO)
    return shop


def put(shop: SampleLake, *tables: Table) -> None:
    shop.tables |= {table.key: table for table in tables}
    known = TABLES | shop.tables
    check(list(known.values()))


CHANGES: list[tuple[dict[str, Any], str]] = [
    ({"write": Upsert(("id", "shop"), ("at",))}, "its keys are id in the lake and id, shop in the contract"),
    (
        {"write": Upsert(("id",), ("at", "n"))},
        "ordered by at:timestamp in the lake and at:timestamp, n:int here",
    ),
    ({"partition_by": "shop"}, "it is partitioned by day in the lake and by shop in the contract"),
    (
        {"columns": (*SILVER.columns[:3], Column("n", "bigint"))},
        "n is int in the lake and bigint in the contract",
    ),
    (
        {"columns": (*SILVER.columns[:3], SILVER.columns[4])},
        "n is int in the lake and no column of the contract",
    ),
]


def test_silver_is_refused_before_any_write_and_rebuilt(filled: SampleLake):
    filled.land("orders", "2026-01-07", "a.csv", [visit("c", TWO, TWO)])
    filled.run("bronze/visits", "2026-01-07")
    before = filled.versions(["silver/visits", "control/folded_files", "quarantine/visits"])
    for changes, message in CHANGES:
        with pytest.raises(IncompatibleContract, match=message) as error:
            silver.refresh_days(filled.lake, replace(SILVER, **changes), ["2026-01-07"])
        assert "run the job full_refresh for the table silver/visits" in str(error.value)
    assert filled.versions(before) == before

    for changes, _ in CHANGES:
        changed = replace(SILVER, **changes)
        silver.rebuild(filled.lake, changed)
        again = silver.refresh_days(filled.lake, changed, [ONE, "2026-01-07"])
        assert all(blocked_by(changed, day) is None for day in again.values())
        assert filled.rows("silver/visits", "id", "day") == [("a", TWO), ("b", ONE), ("c", TWO)]


def test_the_key_is_remembered_through_appends_and_merges(filled: SampleLake):
    filled.land("orders", "2026-01-07", "a.csv", [visit("b", TWO, TWO), visit("d", TWO, TWO)])
    for key in ("bronze/visits", "silver/visits"):
        filled.run(key, "2026-01-07")
    other = replace(SILVER, write=Upsert(("shop",), ("at",)))
    with pytest.raises(IncompatibleContract, match="its keys are id in the lake and shop in the contract"):
        silver.refresh_days(filled.lake, other, [ONE])


def test_gold_by_day_is_refused_before_any_write_and_rebuilt(filled: SampleLake):
    key, lake = GOLD.key, filled.lake
    assert filled.rows(key, "day", "visits", "people") == [(ONE, 1, 2), (TWO, 1, 3)]
    wider = (*GOLD.columns[:2], Column("people", "decimal(20,4)", measure=total("n")))
    renamed = (*GOLD.columns[:2], Column("persons", "bigint", measure=total("n")))
    messages = {
        "people is bigint in the lake and decimal.20,4. in the contract": replace(GOLD, columns=wider),
        "people is bigint in the lake and no column of the contract": replace(GOLD, columns=renamed),
        "it is partitioned by day in the lake and by None": replace(GOLD, partition_by=None),
    }
    before = filled.versions([key])
    for message, changed in messages.items():
        with pytest.raises(
            IncompatibleContract, match=rf"{message}.* run the job full_refresh for the table {key}"
        ):
            gold.refresh_days(lake, changed, [TWO])
    assert filled.versions(before) == before

    for changed, column, value in zip(
        messages.values(), ("people", "persons", "people"), ("{}.0000", "{}", "{}"), strict=True
    ):
        assert sorted(gold.rebuild(lake, changed).days) == [ONE, TWO]
        rows = [(ONE, 1, value.format(2)), (TWO, 1, value.format(3))]
        assert [(day, n, str(people)) for day, n, people in filled.rows(key, "day", "visits", column)] == rows
        names = {*(c.name for c in changed.columns), "_gold_created_timestamp"}
        assert {field.name for field in filled.table(key).schema().fields} == names
        assert gold.refresh_days(lake, changed, []).days == {}  # nothing is stale


def test_a_rebuild_of_gold_that_does_not_reconcile_leaves_it_as_it_was(filled: SampleLake):
    def transform(cells: Any) -> Any:
        return cells.where(f"day <> DATE'{ONE}'")

    before = filled.versions([GOLD.key])
    with pytest.raises(BlockedDays, match=f"{GOLD.key} is as it was: a blocking check holds back {ONE}"):
        gold.rebuild(filled.lake, replace(GOLD, transform=transform))
    assert filled.versions(before) == before


def test_an_extract_is_refused_and_rebuilt_from_its_files(filled: SampleLake):
    def transform(rows: Any) -> Any:
        return rows.groupBy("_ingestion_date").agg({"n": "sum"}).withColumnRenamed("sum(n)", "people")

    columns = (Column("_ingestion_date", "date"), Column("people", "bigint"))
    extract = GoldTable(
        name="people", description="People", write=Extract(SILVER), columns=columns, transform=transform
    )
    put(filled, extract)
    gold.extract_days(filled.lake, extract, [ONE, TWO])
    wider = replace(extract, columns=(columns[0], Column("people", "double")))
    with pytest.raises(IncompatibleContract, match="people is bigint in the lake and double in the contract"):
        gold.extract_days(filled.lake, wider, [ONE])
    gold.rebuild_extract(filled.lake, wider)
    assert filled.rows(extract.key, "_ingestion_date", "people") == [(ONE, 3.0), (TWO, 3.0)]


def test_columns_of_any_name_are_keys_sequence_measures_and_days(shop: SampleLake, spark: SparkSession):
    names = ("order-id", "größe", "select", "am.tag", "a`b")
    bronze = replace(BRONZE, columns=tuple(map(Column, names)))
    visits = replace(
        SILVER,
        inputs=(bronze,),
        write=Upsert(keys=("order-id", "a`b"), sequence_by=("select",)),
        partition_by="am.tag",
        columns=(
            Column("order-id"),
            Column("größe", "decimal(9,2)"),
            Column("select", "timestamp"),
            Column("am.tag", "date"),
            Column("a`b"),
        ),
        rules=(not_null("am.tag"), not_null("größe")),
    )
    by_day = replace(
        GOLD,
        inputs=(visits,),
        write=ReplaceDay("am.tag"),
        partition_by="am.tag",
        sort_by=("am.tag",),
        columns=(
            Column("am.tag", "date"),
            Column("order-count", "bigint", measure=count("order-id")),
            Column("summe.größe", "decimal(19,2)", measure=total("größe")),
        ),
    )
    put(shop, bronze, visits, by_day)

    def row(key: str, size: str, at: str, day: str) -> dict[str, str]:
        return {"order-id": key, "größe": size, "select": at, "am.tag": day, "a`b": "x"}

    first = [row("a", "1.50", f"{ONE}T10:00:00Z", ONE), row("b", "2", f"{ONE}T10:00:00Z", ONE)]
    shop.land("orders", ONE, "a.csv", [*first, row("c", "many", f"{ONE}T10:00:00Z", ONE)])
    shop.land("orders", TWO, "a.csv", [row("a", "3", f"{TWO}T10:00:00Z", TWO)])
    for day in (ONE, TWO, ONE):
        for key in (bronze.key, visits.key, by_day.key):
            shop.run(key, day)
    assert shop.rows(visits.key, "order-id", "größe", "am.tag") == [("a", "3.00", TWO), ("b", "2.00", ONE)]
    assert shop.rows(by_day.key, "am.tag", "order-count", "summe.größe") == [
        (ONE, 1, "2.00"),
        (TWO, 1, "3.00"),
    ]
    assert all(
        blocked_by(visits, day) is None for day in silver.audit_days(shop.lake, visits, [ONE, TWO]).values()
    )
    (broken,) = shop.rows("quarantine/visits")
    assert len(broken["_failed_rules"]) == 2
