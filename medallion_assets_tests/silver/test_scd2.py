"""Tables that keep versions (SCD2): contracts of other shapes, and lakes that kept none before."""

from dataclasses import replace
from pathlib import Path

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from medallion_assets.contracts.column import Column
from medallion_assets.contracts.merge_policies import Scd2, Upsert
from medallion_assets.contracts.silver import SilverTable
from medallion_assets.contracts.stored import IncompatibleContract
from medallion_assets.lakehouse import silver
from medallion_assets.lakehouse.silver.merge.intervals import with_intervals
from medallion_assets_tests.support.sample_lake import TABLES, SampleLake

ONE, TWO, THREE = "2026-01-01", "2026-01-02", "2026-01-03"
CUSTOMERS = TABLES["silver/customers"]
SHOWN = ("customer_id", "customer_segment", "valid_from", "valid_to", "is_current")


def change(segment: str, at: str, **fields: str) -> dict[str, str]:
    return {"customer_id": "c1", "customer_segment": segment, "updated_at": at, **fields}


def test_a_lake_that_kept_no_versions_is_rebuilt_with_them_and_back(shop: SampleLake):
    shop.land("customers", ONE, "c.csv", [change("GOLD", ONE), change("IRON", TWO)])
    latest = replace(CUSTOMERS, write=Upsert(keys=("customer_id",), sequence_by=("updated_at",)))
    shop.run("bronze/customers", ONE)
    silver.refresh_days(shop.lake, latest, [ONE])
    shop.land("customers", TWO, "c.csv", [change("GOLD", THREE)])
    shop.run("bronze/customers", TWO)
    with pytest.raises(IncompatibleContract, match=r"keeps no versions .* run the job full_refresh"):
        shop.run("silver/customers", TWO)
    silver.rebuild(shop.lake, CUSTOMERS)
    assert [row[1] for row in shop.rows("silver/customers", *SHOWN)] == ["GOLD", "GOLD", "IRON"]
    with pytest.raises(IncompatibleContract, match=r"keeps versions .* run the job full_refresh"):
        silver.refresh_days(shop.lake, latest, [TWO])
    silver.rebuild(shop.lake, latest)
    assert shop.rows("silver/customers", "customer_id", "customer_segment") == [("c1", "GOLD")]


def test_landed_columns_named_like_those_of_versions_flow_through_beside_them(shop: SampleLake):
    shop.land("customers", ONE, "c.csv", [change("GOLD", ONE, valid_from="spring", Is_Current="maybe")])
    shop.run("bronze/customers", ONE)
    shop.run("silver/customers", ONE)
    (row,) = shop.rows("silver/customers")
    assert (row["landed_valid_from"], row["landed_Is_Current"]) == ("spring", "maybe")
    assert str(row["valid_from"]).startswith(ONE) and row["is_current"] is True


def test_two_versions_at_one_time_are_found_by_the_check_of_the_key(shop: SampleLake):
    shop.land("customers", ONE, "c.csv", [change("GOLD", ONE), change("IRON", TWO)])
    shop.run("bronze/customers", ONE)
    assert shop.run("silver/customers", ONE)[ONE].unique
    assert silver.audit_days(shop.lake, CUSTOMERS, [ONE])[ONE].unique
    shop.table("silver/customers").update({"valid_to": "NULL"})
    assert not silver.audit_days(shop.lake, CUSTOMERS, [ONE])[ONE].unique


def test_the_worked_example_of_the_intervals_holds(spark: SparkSession):
    rows = [(1, "A", False), (2, "A", False), (3, "B", False), (3, "C", False), (5, None, True)]
    changes = spark.createDataFrame(rows, "time int, customer_segment string, _is_delete boolean").select(
        F.lit("c1").alias("customer_id"),
        "customer_segment",
        "_is_delete",
        F.struct(
            "time", F.lit(False).alias("is_delete"), F.ascii("customer_segment").alias("content_hash")
        ).alias("_sequence"),
        F.lit(100.0).alias("_data_quality_score"),
        F.lit(ONE).cast("date").alias("_ingestion_date"),
        F.lit("c.csv").alias("_source_file"),
        F.lit(True).alias("_is_new"),
        F.lit(False).alias("_is_stored"),
        F.col("time").alias("_since"),
    )
    found = with_intervals(CUSTOMERS, changes, horizon=None).orderBy("_sequence").collect()
    assert [(row["valid_from"], row["valid_to"]) for row in found if row["valid_from"]] == [
        (1, 3),
        (3, 5),
        (5, None),
    ]
    assert [row["valid_from"] for row in found] == [None, 1, None, 3, 5]
    assert [row["is_current"] for row in found if row["valid_from"]] == [False, False, False]


def contract(name: str, write: Scd2, **fields) -> SilverTable:
    columns = (
        Column("customer_id"),
        Column("country"),
        Column("customer_segment"),
        Column("version", "bigint"),
        Column("day", "date"),
    )
    return SilverTable(
        name=name, description=name, write=write, inputs=CUSTOMERS.inputs, columns=columns, **fields
    )


SHAPES = [
    contract(
        "numbered", Scd2(keys=("customer_id",), sequence_by=("version",), tracked=("customer_segment",))
    ),
    contract(
        "dated",
        Scd2(keys=("customer_id", "country"), sequence_by=("day", "version"), tracked=("customer_segment",)),
        partition_by="customer_segment",
    ),
    contract("landed", Scd2(keys=("customer_id",), tracked=("customer_segment",))),
]


@pytest.mark.long
def test_versions_by_a_number_by_a_day_and_by_arrival(shop: SampleLake):
    """Several keys and partitions too; late changes on the second day."""
    shop.tables = TABLES | {table.key: table for table in SHAPES}

    def row(segment: str, version: int, day: str) -> dict[str, str]:
        return {**change(segment, ONE), "country": "US", "version": str(version), "day": day}

    shop.land("customers", ONE, "a.csv", [row("GOLD", 10, ONE), row("IRON", 30, THREE)])
    shop.land("customers", TWO, "a.csv", [row("BASIC", 9, TWO), row("GOLD", 20, TWO)])
    for day in (ONE, TWO):
        for key in ("bronze/customers", *(table.key for table in SHAPES)):
            shop.run(key, day)
    found = {table.name: shop.rows(table.key, *SHOWN[1:]) for table in SHAPES}
    assert found == {
        "numbered": [("BASIC", 9, 10, 0), ("GOLD", 10, 30, 0), ("IRON", 30, None, 1)],
        "dated": [("GOLD", ONE, THREE, 0), ("IRON", THREE, None, 1)],  # of one day the last counts
        "landed": [("GOLD", TWO, None, 1), ("IRON", ONE, TWO, 0)],  # of one file the hash decides
    }


def test_what_is_sent_again_is_known_without_reading_the_bronze_of_other_days(shop: SampleLake):
    sent = [change("GOLD", ONE), change("GOLD", TWO, age="19-24"), change("", THREE, op="D")]
    shop.land("customers", ONE, "c.csv", [*sent, change("IRON", "2026-01-04")])
    shop.run("bronze/customers", ONE)
    shop.run("silver/customers", ONE)
    for uri in shop.files("bronze/customers"):
        Path(uri).write_bytes(b"not to be read")
    shop.land("customers", TWO, "c.csv", [*sent, change("BASIC", "2026-01-05")])
    shop.run("bronze/customers", TWO)
    (day,) = shop.run("silver/customers", TWO).values()
    assert (day.total("current"), day.total("superseded")) == (1, 3)
    assert [(row[1], row[2][:10], (row[3] or "")[:10]) for row in shop.rows("silver/customers", *SHOWN)] == [
        ("BASIC", "2026-01-05", ""),
        ("GOLD", ONE, THREE),
        ("IRON", "2026-01-04", "2026-01-05"),
    ]


def test_an_earlier_delete_that_comes_last_begins_the_tombstone_of_a_key_without_versions(shop: SampleLake):
    for day, at in ((ONE, THREE), (TWO, TWO)):
        shop.land("customers", day, "c.csv", [change("", at, op="D")])
        shop.run("bronze/customers", day)
        shop.run("silver/customers", day)
    ((began, deleted),) = shop.rows("silver/customers", "valid_from", "_deleted_at")
    assert (began[:10], deleted[:10]) == (TWO, THREE)
