"""No value changes in silence: keys, words for nothing, far times, other scripts. One landing, one run of all steps."""

import random
import unicodedata
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest
from pyspark.sql import SparkSession

from medallion_assets.contracts import BronzeTable, Column, Land, SilverTable, Upsert
from medallion_assets.lakehouse import silver
from medallion_assets.lakehouse.silver.checks import silver_checks
from medallion_assets.lakehouse.spark.expressions import normal_key_of
from medallion_assets_tests.support.sample_lake import TABLES, SampleLake, order

DAY = "2026-01-05"
BLANKS = [" k1", "k1 ", "k1\t", "k1\u00a0", "k1\u200b", "\ufeffk1", "\u3000k1\u2003", "k1\r\n"]


def rows_broken(day, *rules: str) -> dict[str, int]:
    return {rule: day.broken(rule) for rule in rules}


def test_keys_are_compared_without_blanks_and_composed_and_joins_find_them(shop: SampleLake):
    composed, apart = "caf\u00e9", "cafe\u0301"
    shop.land(
        "orders",
        DAY,
        "a.csv",
        [
            *[order(key, customer_id="c\u00e9\u00a0") for key in ["k1", *BLANKS]],
            *[order(key, customer_id="ce\u0301") for key in (composed, apart, "in side", "in\u00a0side")],
            *[order(blank) for blank in ("\u00a0", "\u200b", "\t", " ")],
            order("o1", status="sh\u0131pped"),  # a dotless i is no i
            order("o2", amount="\uff11\uff12.00"),  # digits, but none that a program writes
            order("o3", status=" shipped "),
        ],
    )
    shop.land(
        "customers",
        DAY,
        "c.csv",
        [{"customer_id": "ce\u0301", "customer_segment": "GOLD", "updated_at": DAY}],
    )
    done = shop.materialize(DAY, last="gold/fact_orders")
    keys = {row[0] for row in shop.live("order_id")}
    assert keys == {"k1", composed, "in side", "in\u00a0side", "o3"}
    day = done["silver/orders"][DAY]
    broken = rows_broken(
        day, "keys_as_landed", "order_id_not_null", "order_status_one_of", "order_amount_is_decimal"
    )
    assert list(broken.values()) == [len(BLANKS) + 1, 4, 1, 1]
    assert all(row["_data_quality_score"] == 100 for row in shop.rows("silver/orders"))
    facts = {(row["customer_id"], row["customer_key"] != "-1") for row in shop.rows("gold/fact_orders")}
    assert facts == {("c1", True), ("c\u00e9", True)}


def test_random_keys_are_spelled_as_python_spells_them(spark: SparkSession):
    """Python's `unicodedata` knows the same categories and the same composition."""
    made = random.Random(14)
    parts = [
        *"aZ09 .-_",
        "\t",
        "\r",
        "\n",
        "\x00",
        "\x85",
        "\u00a0",
        "\u2003",
        "\u2028",
        "\u200b",
        "\ufeff",
        "\u180e",
    ]
    parts += [
        "e\u0301",
        "\u00e9",
        "o\u0302\u0323",
        "\u212b",
        "\u1112\u1161\u11ab",
        "\U0001f600",
        "\u0627",
        "\u05d0",
    ]
    keys = ["".join(made.choices(parts, k=made.randint(0, 6))) for _ in range(5000)]
    rows = spark.createDataFrame([(key,) for key in keys], "key string").select(
        "key", normal_key_of("key").alias("k")
    )
    assert {row["key"]: row["k"] for row in rows.collect()} == {key: spelled(key) for key in keys}


def spelled(key: str) -> str | None:
    kept = [i for i, c in enumerate(key) if unicodedata.category(c)[0] not in "ZC"]
    text = key[kept[0] : kept[-1] + 1] if kept else ""
    return unicodedata.normalize("NFC", text) or None


def test_times_and_words_that_stand_for_none(shop: SampleLake):
    soon = f"{datetime.now(timezone.utc) + timedelta(hours=20):%Y-%m-%dT%H:%M:%SZ}"
    bronze = BronzeTable(name="things", description="d", write=Land("things", nulls=("NULL", r"\N")))
    columns = (
        Column("id"),
        Column("note"),
        Column("born", "timestamp"),
        Column("at", "timestamp"),
        Column("n", "int"),
    )
    table = SilverTable(
        name="things",
        description="d",
        inputs=(bronze,),
        write=Upsert(keys=("id",), sequence_by=("at",)),
        columns=columns,
    )
    meant = replace(columns[2], sentinels=("9999-12-31", "1799-01-01T00:00:00"))
    shop.tables |= {"bronze/things": bronze, "silver/things": table}
    shop.land(
        "things",
        DAY,
        "a.csv",
        "id,note,born,at,n,more\n"
        "a,NULL,9999-12-31,2026-01-01,\\N,NULL\n"
        "b,N/A,0001-01-01,2026-01-01,1,x\n"
        "c,NULLS,1799-01-01,2026-01-01,NULL,\n"
        "d,nan,2026-01-05 10:00:00.123456,2026-01-01,NaN,\n"  # NaN is no number of this source
        f"e,,,{soon},,\n"
        "f,,,2099-12-31T23:59:59Z,,\n",
    )
    shop.run("bronze/things", DAY)
    day = shop.run("silver/things", DAY)[DAY]
    assert rows_broken(
        day, "no_null_words", "times_as_meant", "n_is_int", "at_not_in_future", "keys_as_landed"
    ) == {
        "no_null_words": 2,
        "times_as_meant": 3,
        "n_is_int": 1,
        "at_not_in_future": 1,
        "keys_as_landed": 0,
    }
    found = shop.rows("silver/things", "id", "note", "born", "n", "more")
    assert found == [
        ("a", None, "9999-12-31 00:00:00+00:00", None, None),
        ("b", "N/A", "0001-01-01 00:00:00+00:00", 1, "x"),
        ("c", "NULLS", "1799-01-01 00:00:00+00:00", None, None),
        ("e", None, None, None, None),
    ]
    warned = {check.name: check.evaluate(day) for check in silver_checks(table)}
    assert not warned["times_as_meant"].passed and not warned["no_null_words"].passed
    again = silver.refresh_days(
        shop.lake, replace(table, columns=(*columns[:2], meant, *columns[3:])), [DAY]
    )[DAY]
    assert again.broken("times_as_meant") == 1


@pytest.mark.parametrize("key", ["silver/orders", "silver/customers"])
def test_a_word_for_nothing_counts_once_a_row(key: str):
    rule = next(rule for rule in TABLES[key].row_rules if rule.name == "no_null_words")
    assert rule.weight == 0 and set(rule.columns) == {
        c.name for c in TABLES[key].columns if c.type == "string"
    }
