"""Each kind of rule on literal rows, all in one pass."""

from dataclasses import replace

import pytest
from pyspark.sql import SparkSession

from medallion_assets.contracts.column import Column
from medallion_assets.contracts.merge_policies import Upsert
from medallion_assets.contracts.rules import (
    Severity,
    at_most_decimals,
    between,
    matches,
    not_negative,
    not_null,
    one_of,
)
from medallion_assets.contracts.silver import SilverTable
from medallion_assets.lakehouse.silver.validation import failed_rules, validate
from medallion_assets_tests.support.sample_lake import TABLES

RULES = (
    not_null("name"),
    one_of("colour", ("RED", "BLUE")),
    between("size", "1", "10"),
    matches("name", "^[a-z]+$"),
    not_negative("price"),
    at_most_decimals("price", 2),
)
TABLE = SilverTable(
    name="things",
    description="Things",
    inputs=(replace(TABLES["bronze/orders"], name="things"),),
    write=Upsert(keys=("id",)),
    columns=(
        Column("id"),
        Column("name"),
        Column("colour"),
        Column("size", "int"),
        Column("price", "decimal(9,2)"),
        Column("day", "date"),
        Column("time", "timestamp"),
    ),
    rules=RULES,
)
GOOD = {
    "id": "k",
    "name": "ball",
    "colour": "RED",
    "size": "5",
    "price": "1.50",
    "day": "2026-01-05",
    "time": "2026-01-05",
}
BROKEN = [
    ({}, []),
    ({"name": None}, ["name_not_null"]),
    ({"name": "Ball 2"}, ["name_matches"]),
    ({"colour": "rejected"}, ["colour_one_of"]),
    ({"colour": None}, ["colour_one_of"]),  # NULL counts as broken
    ({"size": "11"}, ["size_between"]),
    ({"size": "1.5"}, ["size_is_int"]),
    ({"size": None}, []),  # left to not_null
    ({"price": "-0.001"}, ["price_not_negative", "price_at_most_2_decimals"]),
    ({"price": "-0.00"}, []),
    ({"price": "1.230"}, []),
    ({"price": "1.234"}, ["price_at_most_2_decimals"]),
    ({"price": "1e1"}, []),
    ({"price": "1,5"}, ["price_is_decimal"]),
    ({"price": "9" * 8}, ["price_is_decimal"]),
    ({"day": "2026-02-30"}, ["day_is_date"]),
    ({"day": "2026-01-05 garbage"}, ["day_is_date"]),
    ({"day": "2026-01-05T23:30:00-05:00"}, []),
    ({"time": "10:00"}, ["time_is_timestamp"]),  # Spark alone would read today at ten
    ({"time": "2026-01-05 10:00:00.123456+02:00"}, []),
    ({"time": "2026-01-05 10:00:00+02"}, []),
    ({"time": "1767607200"}, ["time_is_timestamp"]),
    ({"id": None}, ["id_not_null"]),
]


@pytest.fixture(scope="module")
def validated(spark: SparkSession) -> list:
    names = [*GOOD, "n"]
    rows = [(*(GOOD | bad).values(), str(number)) for number, (bad, _) in enumerate(BROKEN)]
    landed = spark.createDataFrame(rows, ", ".join(f"{name} string" for name in names)).selectExpr(
        "*",
        "CAST(NULL AS STRING) AS _corrupt_record",
        "DATE'2026-01-05' AS _ingestion_date",
        "'things/date=2026-01-05/a.csv' AS _source_file",
    )
    found = validate(TABLE, landed).withColumn("failed", failed_rules(TABLE.row_rules))
    return sorted(found.collect(), key=lambda row: int(row["n"]))


@pytest.mark.parametrize(
    ("number", "bad", "expected"), [(n, bad, e) for n, (bad, e) in enumerate(BROKEN)], ids=str
)
def test_a_row_breaks_exactly_these_rules(validated: list, number: int, bad: dict, expected: list):
    assert sorted(validated[number]["failed"]) == sorted(expected)
    severities = {rule.name: rule.severity for rule in TABLE.row_rules}
    assert validated[number]["_quarantined"] == any(
        severities[name] is Severity.QUARANTINE for name in expected
    )


def test_a_date_with_a_time_keeps_the_day_that_is_written(validated: list):
    (row,) = [validated[n] for n, (bad, _) in enumerate(BROKEN) if "T23:30" in str(bad.get("day"))]
    assert str(row["day"]) == "2026-01-05"


def test_the_fingerprint_follows_what_can_change_a_row_and_nothing_else():
    assert replace(TABLE, description="Other words").fingerprint == TABLE.fingerprint
    assert replace(TABLE, rules=RULES[1:]).fingerprint != TABLE.fingerprint
    retyped = (replace(TABLE.columns[0], type="int"), *TABLE.columns[1:])
    assert replace(TABLE, columns=retyped).fingerprint != TABLE.fingerprint
    assert replace(TABLE, transform=lambda changes: changes).fingerprint != TABLE.fingerprint


def test_any_number_of_rules_is_evaluated_in_one_pass(spark: SparkSession):
    names = [f"c{i}" for i in range(130)]
    columns = (Column("id"), *(Column(name, "int") for name in names))
    wide = replace(TABLE, columns=columns, rules=tuple(not_null(name, Severity.WARN) for name in names))
    assert len(wide.row_rules) == 265
    bad = {3: ["c2"], 4: ["c62", "c129"], 5: ["id"]}
    rows = [
        {"id": str(n), **dict.fromkeys(names, "1")} | dict.fromkeys(bad.get(n, []), "x" if n == 4 else None)
        for n in range(6)
    ]
    landed = spark.createDataFrame(
        [tuple(row[name] for name in ("id", *names)) for row in rows],
        ", ".join(f"{name} string" for name in ("id", *names)),
    ).selectExpr(
        "*",
        "CAST(NULL AS STRING) AS _corrupt_record",
        "DATE'2026-01-05' AS _ingestion_date",
        "'wide/date=2026-01-05/a.csv' AS _source_file",
    )
    found = validate(wide, landed).withColumn("failed", failed_rules(wide.row_rules)).collect()
    told = {tuple(row["failed"]): row["_quarantined"] for row in found}
    assert told == {
        (): False,
        ("c2_not_null",): False,
        ("c62_is_int", "c129_is_int", "c62_not_null", "c129_not_null"): True,
        ("id_not_null",): True,
    }
