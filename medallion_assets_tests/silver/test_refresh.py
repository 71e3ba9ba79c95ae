"""What becomes of landed rows in silver: late, resent, deleted, revived, corrected, broken, blocked."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from medallion_assets.contracts.column import Column
from medallion_assets.contracts.rules import not_null
from medallion_assets.contracts.silver import SilverTable
from medallion_assets.contracts.table import ReplaceDay
from medallion_assets.lakehouse import silver
from medallion_assets.lakehouse.silver import refresh, validated_days
from medallion_assets.lakehouse.silver.checks import blocked_by
from medallion_assets.lakehouse.silver.day_metrics import SilverDayMetrics
from medallion_assets.lakehouse.silver.merge import key_ranges
from medallion_assets_tests.support.sample_lake import TABLES, SampleLake, delete, order

ONE, TWO, THREE = "2026-01-01", "2026-01-02", "2026-01-03"


def outcomes(day: SilverDayMetrics) -> tuple[int, int, int, int]:
    return tuple(day.total(name) for name in ("current", "superseded", "deleted", "quarantined"))  # type: ignore[return-value]


def test_changes_of_all_kinds_over_three_days(shop: SampleLake):
    shop.land(
        "orders",
        ONE,
        "a.csv",
        [order("o1"), order("o2"), order("o3"), order("o4"), order("", at=""), order("o5")],
    )
    shop.land(
        "orders",
        TWO,
        "a.csv",
        [
            order(
                "o1", at="2026-01-02T09:00:00Z", amount="20.00", day=TWO
            ),  # later, and on another event day
            order("o2", at="2025-12-31T09:00:00Z", amount="99.00"),  # late and older
            delete("o3", "2026-01-02T09:00:00Z"),
            delete("never seen", "2026-01-02T09:00:00Z"),
            delete("o5", "2026-01-01T10:00:00Z"),  # same time: a delete comes after an upsert
            order("o4"),  # resent
        ],
    )
    days = shop.orders(ONE, TWO)
    assert outcomes(days[ONE]) == (2, 3, 0, 1)  # o2 and o4 are current
    assert outcomes(days[TWO]) == (1, 2, 3, 0)
    assert shop.live("order_id", "order_amount", "order_date") == [
        ("o1", "20.00", TWO),
        ("o2", "10.00", ONE),
        ("o4", "10.00", ONE),
    ]
    tombstones = [row for row in shop.rows("silver/orders") if row["_deleted_at"]]
    assert [row["order_id"] for row in tombstones] == ["never seen", "o3", "o5"]
    assert {row["order_date"] for row in tombstones} == {row["customer_id"] for row in tombstones} == {None}

    shop.land(
        "orders",
        THREE,
        "a.csv",
        [
            order("never seen", at="2026-01-01T09:00:00Z"),  # older than the delete: stays dead
            order("o3", at="2026-01-03T09:00:00Z", amount="3.00"),  # revived
        ],
    )
    shop.orders(THREE)
    assert [row[0] for row in shop.live()] == ["o1", "o2", "o3", "o4"]
    assert shop.lake.read("silver/orders").count() == 6


def test_a_row_keeps_its_broken_rules_its_raw_text_and_its_file(shop: SampleLake):
    shop.land(
        "orders",
        ONE,
        "a.csv",
        [
            order("o1", amount="-0.001", status="lost"),
            order("o2", amount="12.345", customer_id="", status=" completed "),
            order("o3", day="2026-02-30"),
            order("o4", amount="12345678901234567.00"),
            order("o5", amount="NaN"),
            order("o6", amount="1" * 39),
            order("o7", amount=""),
            order("o8", at="10:00"),
            order("o9") | {"op": "X"},
            *(order(f"good {i}") for i in range(8)),  # else the day would be blocked
        ],
    )
    day = shop.orders(ONE)[ONE]
    assert outcomes(day) == (9, 0, 0, 8)
    broken = {row["order_id"]: row for row in shop.rows("quarantine/orders")}
    assert {key: row["_failed_rules"] for key, row in broken.items()} == {
        "o1": ["order_amount_not_negative", "order_status_one_of", "order_amount_at_most_2_decimals"],
        "o3": ["order_date_is_date", "order_date_not_null"],
        "o4": ["order_amount_is_decimal", "order_amount_not_null"],
        "o5": ["order_amount_is_decimal", "order_amount_not_null"],
        "o6": ["order_amount_is_decimal", "order_amount_not_null"],
        "o7": ["order_amount_not_null"],
        "o8": ["updated_at_not_null", "updated_at_is_timestamp"],
        "o9": ["op_known"],
    }
    assert broken["o1"]["order_amount"] == "-0.001" and broken["o3"]["order_date"] == "2026-02-30"
    assert broken["o1"]["_source_file"] == f"orders/date={ONE}/a.csv"
    found = {row["order_id"]: row for row in shop.rows("silver/orders")}
    assert {row["_data_quality_score"] for key, row in found.items() if key != "o2"} == {100.0}
    amount, status, score = (
        found["o2"][name] for name in ("order_amount", "order_status", "_data_quality_score")
    )
    assert (str(amount), status) == ("12.35", "COMPLETED")
    weight = sum(rule.weight for rule in TABLES["silver/orders"].row_rules)
    assert score == round(100 * (weight - 2) / weight, 2)  # a guest, and an amount that was rounded
    assert day.broken("customer_id_not_null") == 1


def test_a_day_twice_changes_no_figure_and_makes_no_commit(shop: SampleLake):
    shop.land("orders", ONE, "a.csv", [order("o1"), order("o2", status="lost")])
    first = shop.orders(ONE)
    before = shop.versions(["silver/orders", "quarantine/orders"])
    assert shop.orders(ONE) == first
    assert shop.versions(["silver/orders", "quarantine/orders"]) == before


def test_a_corrected_file_replaces_its_rows_and_a_deleted_one_takes_them_along(shop: SampleLake):
    shop.land("orders", ONE, "a.csv", [order("o1", amount="1.00"), order("o2"), order("bad", amount="x")])
    shop.land(
        "orders", TWO, "a.csv", [order("o1", amount="2.00", at="2026-01-02T00:00:00Z"), order("o3", day=TWO)]
    )
    shop.orders(ONE, TWO)
    shop.remove("orders", TWO, "a.csv")
    assert outcomes(shop.orders(TWO)[TWO]) == (0, 0, 0, 0)
    assert shop.live() == [("o1", "1.00"), ("o2", "10.00")]  # o1 is as it was before

    shop.land("orders", ONE, "a.csv", [order("o1", amount="7.00")])
    shop.orders(ONE)
    assert shop.live() == [("o1", "7.00")]
    assert shop.rows("quarantine/orders") == []


def test_a_late_file_of_an_old_day_merges_and_leaves_other_event_days_untouched(shop: SampleLake):
    shop.land("orders", ONE, "a.csv", [order("o1", day=ONE), order("o2", day=TWO), order("o3", day=THREE)])
    shop.orders(ONE)
    before = shop.files("silver/orders")
    shop.land("orders", ONE, "b.csv", [order("o2", at="2026-01-05T00:00:00Z", amount="2.22", day=TWO)])
    shop.orders(ONE)
    after = shop.files("silver/orders")
    assert before ^ after
    assert all(f"order_date={TWO}" in file for file in before ^ after)
    assert ("o2", "2.22") in shop.live()


def test_a_day_with_too_many_broken_rows_is_blocked_until_it_is_mended(shop: SampleLake):
    table = TABLES["silver/orders"]
    shop.land("orders", ONE, "a.csv", [order("o1")])
    shop.orders(ONE)
    shop.land("orders", ONE, "b.csv", [order("o2"), *(order(f"x{i}", amount="?") for i in range(9))])
    shop.land("orders", TWO, "a.csv", [order("o3", day=TWO), order("late", day=ONE)])
    days = shop.orders(ONE, TWO)
    assert blocked_by(table, days[ONE]) == "quarantine_ratio" and blocked_by(table, days[TWO]) is None
    assert blocked_by(replace(table, quarantine_least=11), days[ONE]) == "quarantine_ratio"
    assert blocked_by(replace(table, quarantine_least=12), days[ONE]) is None  # it has 11 rows
    assert [row[0] for row in shop.live()] == ["late", "o1", "o3"]  # earlier rows stay, the good day is there
    assert len(shop.rows("quarantine/orders")) == 9
    assert blocked_by(table, shop.orders(ONE)[ONE]) == "quarantine_ratio"  # also when asked again

    shop.land("orders", ONE, "b.csv", [order("o2")])
    assert blocked_by(table, shop.orders(ONE)[ONE]) is None
    assert [row[0] for row in shop.live()] == ["late", "o1", "o2", "o3"]
    assert shop.rows("quarantine/orders") == []


def test_a_changed_rule_makes_days_stale_and_materializing_them_restates_them(shop: SampleLake):
    shop.land("orders", ONE, "a.csv", [order("o1", amount="5.00"), order("o2", amount="500.00")])
    shop.land(
        "orders", TWO, "a.csv", [order("o3", amount="5.00", day=TWO), order("o4", amount="500.00", day=TWO)]
    )
    shop.orders(ONE, TWO)
    older = TABLES["silver/orders"]
    stricter = replace(older, rules=(*older.rules, not_null("customer_id")), quarantine_limit=1.0)
    assert silver.stale_days(shop.lake, older) == []
    assert silver.stale_days(shop.lake, stricter) == [ONE, TWO]
    silver.refresh_days(shop.lake, stricter, [ONE])
    assert silver.stale_days(shop.lake, stricter) == [TWO]
    assert len(shop.live()) == 4


def stop_at(step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next run ends before it quarantines, publishes, or records what it did after its intent."""

    def crash(*arguments):
        raise KeyboardInterrupt

    if step == "quarantine":
        monkeypatch.setattr(refresh, "write_quarantine", crash)
    if step == "publish":
        monkeypatch.setattr(refresh, "publish", crash)
    if step == "record":
        real, calls = refresh.record, []
        monkeypatch.setattr(refresh, "record", lambda *a: crash() if calls else (calls.append(1), real(*a)))


@pytest.mark.parametrize("crash_at", ["quarantine", "publish", "record"])
def test_a_crash_at_any_step_is_mended_by_the_next_run(shop: SampleLake, monkeypatch, crash_at: str):
    shop.land("orders", ONE, "a.csv", [order("o1"), order("bad", amount="x")])
    shop.run("bronze/orders", ONE)

    stop_at(crash_at, monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        shop.run("silver/orders", ONE)
    monkeypatch.undo()
    shop.land("orders", ONE, "a.csv", [order("o2")])  # and the file has changed meanwhile
    assert outcomes(shop.orders(ONE)[ONE]) == (1, 0, 0, 0)
    assert shop.live() == [("o2", "10.00")]
    assert shop.rows("quarantine/orders") == []


@pytest.mark.parametrize("crash_at", ["quarantine", "publish", "record"])
@pytest.mark.parametrize("key", ["silver/orders", pytest.param("silver/customers", marks=pytest.mark.long)])
def test_after_a_crash_only_the_added_file_is_merged_again(
    shop: SampleLake, monkeypatch, key: str, crash_at: str
):
    """Both kinds of keyed tables: the latest row of each key, and its versions."""

    def change(id: str, at: str, name: str, **fields: str) -> dict[str, Any]:
        when = {"updated_at": f"{ONE}T{at}:00Z", **fields}
        if key == "silver/customers":
            return {"customer_id": id, "customer_segment": name, **when}
        return {**order(id, amount=str(ord(name[0]))), **when}

    source = key.removeprefix("silver/")
    first = [change("a", "10:00", "LOW"), change("b", "10:00", "LOW"), change("c", "12:00", "MID")]
    added = [
        change("a", "11:00", "HIGH"),
        change("a", "11:30", "MID"),
        change("b", "11:00", "LOW", op="D"),
        change("c", "11:00", "LOW"),  # older than what is there
        change("d", "11:00", "HIGH"),
        change("e", "noon", "HIGH"),
    ]
    shop.land(source, ONE, "a.csv", first)
    shop.run(f"bronze/{source}", ONE)
    shop.run(key, ONE)
    shop.land(source, ONE, "b.csv", added)
    shop.run(f"bronze/{source}", ONE)
    stop_at(crash_at, monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        shop.run(key, ONE)
    monkeypatch.undo()
    judged: list[int] = []
    count = validated_days.count_validated

    def counting(table, rows, *more):
        judged.append(rows.count())
        return count(table, rows, *more)

    monkeypatch.setattr(validated_days, "count_validated", counting)
    day = shop.run(key, ONE)[ONE]
    assert judged == [len(added)]
    kept = [{n: v for n, v in row.items() if "timestamp" not in n} for row in shop.rows(key)]
    assert (day.unaccounted, outcomes(day)[3]) == ({}, 1)
    assert len(shop.rows(f"quarantine/{source}")) == 1
    silver.rebuild(shop.lake, shop.tables[key])
    assert kept == [{n: v for n, v in row.items() if "timestamp" not in n} for row in shop.rows(key)]


@pytest.mark.parametrize("beside", [True, False])
def test_a_file_that_vanishes_and_is_back_after_a_crash_is_merged_again(
    shop: SampleLake, monkeypatch: pytest.MonkeyPatch, beside: bool
):
    kept = shop.land("orders", ONE, "v.csv", [order("v")])
    if beside:
        shop.land("orders", ONE, "a.csv", [order("a")])
    shop.orders(ONE)
    kept.rename(kept.parent / ".v")  # names with a dot do not land
    shop.run("bronze/orders", ONE)
    stop_at("record", monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        shop.run("silver/orders", ONE)
    monkeypatch.undo()
    (kept.parent / ".v").rename(kept)
    assert shop.orders(ONE)[ONE].unaccounted == {}
    assert [row[0] for row in shop.live()] == (["a", "v"] if beside else ["v"])


def test_checks_on_demand_count_the_rows_and_write_nothing(shop: SampleLake):
    table = TABLES["silver/orders"]
    shop.land(
        "orders",
        ONE,
        "a.csv",
        [order("o1"), order("o1"), order("o2", status="lost"), delete("o3", "2026-01-01")],
    )
    shop.land("orders", TWO, "a.csv", [order("o1", at="2026-01-02T00:00:00Z")])
    shop.orders(ONE, TWO)
    before = shop.versions(["silver/orders", "quarantine/orders", "control/folded_files"])
    now = silver.audit_days(shop.lake, table, [ONE, TWO])
    assert (outcomes(now[ONE]), outcomes(now[TWO])) == ((0, 2, 1, 1), (1, 0, 0, 0))
    assert {blocked_by(table, day) for day in now.values()} == {None}
    assert shop.versions(before) == before

    shop.table("silver/orders").delete("order_id = 'o1'")  # somebody loses a row
    now = silver.audit_days(shop.lake, table, [TWO])
    assert blocked_by(table, now[TWO]) == "row_conservation"
    assert now[TWO].unaccounted == {f"orders/date={TWO}/a.csv": 1}


def test_a_key_with_two_rows_blocks_the_day_that_changes_it(shop: SampleLake):
    table = TABLES["silver/orders"]
    shop.land("orders", ONE, "a.csv", [order("o1"), order("o2")])
    shop.orders(ONE)
    again = shop.lake.read("silver/orders").where("order_id = 'o1'")
    shop.lake.append(again, "silver/orders", "order_date")  # somebody writes beside the repository
    shop.land("orders", TWO, "a.csv", [order("o1", at="2026-01-02T00:00:00Z", amount="2.00")])
    assert blocked_by(table, shop.orders(TWO)[TWO]) == "unique_key"
    assert ("o1", "2.00") not in shop.live()
    assert silver.audit_days(shop.lake, table, [ONE])[ONE].unique is False


def test_a_lost_silver_ledger_changes_no_row(shop: SampleLake):
    shop.land("orders", ONE, "a.csv", [order("o1"), order("bad", amount="x"), delete("o2", "2026-01-01")])
    first = shop.orders(ONE)
    columns = [name for name in shop.rows("silver/orders")[0] if name != "_silver_processed_timestamp"]
    before = shop.rows("silver/orders", *columns)
    shutil.rmtree(shop.lake.path("control/folded_files"))
    assert outcomes(shop.orders(ONE)[ONE]) == outcomes(first[ONE])
    assert shop.rows("silver/orders", *columns) == before
    assert len(shop.rows("quarantine/orders")) == 1


def test_a_new_column_comes_to_silver_with_the_first_valid_row_that_has_a_value(shop: SampleLake):
    blank = {"empty": "", "broken.only": "", "later": "", "deleted": ""}
    shop.land(
        "orders",
        ONE,
        "a.csv",
        [
            order("o1", kept="x", **blank),
            order("o2", status="?", **{"broken.only": "x"}),
            {**delete("o3", "2026-01-02T09:00:00Z"), "deleted": "x"},
        ],
    )
    shop.orders(ONE)
    columns = {field.name for field in shop.table("silver/orders").schema().fields}
    assert {name for name in columns if not name.startswith("_")} - order("o1").keys() == {"kept"}
    assert shop.rows("quarantine/orders", "broken.only") == [("x",)]
    shop.land("orders", TWO, "a.csv", [order("o4", later="y", **{"broken.only": ""})])
    shop.orders(TWO)
    shop.land("orders", ONE, "a.csv", [order("o1", kept="z", **{"broken.only": ""})])
    shop.orders(ONE)
    assert shop.live("order_id", "kept", "later") == [("o1", "z", None), ("o4", None, "y")]
    assert "broken.only" not in {field.name for field in shop.table("silver/orders").schema().fields}


def test_rows_without_a_key_replace_their_day(spark, tmp_path):
    visits = SilverTable(
        name="visits",
        description="Visits of the shops",
        inputs=(TABLES["bronze/orders"],),
        write=ReplaceDay(),
        columns=(Column("order_amount", "int"),),
        rules=(not_null("order_amount"),),
    )
    shop = SampleLake(spark, tmp_path, TABLES | {visits.key: visits})
    shop.land("orders", ONE, "a.csv", "order_amount\n1\n1\nx\n")
    shop.land("orders", TWO, "a.csv", "order_amount\n3\n")
    shop.run("bronze/orders", ONE, TWO)
    assert outcomes(shop.run("silver/visits", ONE, TWO)[ONE]) == (2, 0, 0, 1)
    shop.land("orders", ONE, "b.csv", "order_amount\n2\n")
    shop.run("bronze/orders", ONE)
    assert outcomes(shop.run("silver/visits", ONE)[ONE]) == (3, 0, 0, 1)
    assert shop.rows("silver/visits", "order_amount") == [(1,), (1,), (2,), (3,)]
    assert outcomes(silver.audit_days(shop.lake, visits, [ONE])[ONE]) == (3, 0, 0, 1)


def test_a_new_file_costs_itself_and_not_its_day_nor_the_table(
    shop: SampleLake, monkeypatch: pytest.MonkeyPatch
):
    """Everything that must not be read is taken away: a step that opened it would fail."""
    monkeypatch.setattr(key_ranges, "WORTH_BYTES", 0)
    old = [order(f"o{i}", day=ONE) for i in range(10, 20)] + [order(f"o{i}", day=TWO) for i in range(20, 30)]
    shop.land("orders", ONE, "a-delivery-with-a-long-name-1.csv", old)
    shop.orders(ONE)
    days = {day: [Path(uri) for uri in shop.files("silver/orders") if day in uri] for day in (ONE, TWO)}
    hidden = [Path(uri) for uri in shop.files("bronze/orders")] + days[ONE]
    for path in hidden:
        path.rename(path.with_suffix(".hidden"))
    new = [order("o25", day=TWO, amount="12", at="2026-01-02T00:00:00Z"), order("o31", day=THREE)]
    shop.land("orders", ONE, "a-delivery-with-a-long-name-2.csv", new)
    assert outcomes(shop.orders(ONE)[ONE]) == (22, 0, 0, 0)
    for path in hidden:
        path.with_suffix(".hidden").rename(path)
    amounts = dict(shop.live())
    assert len(amounts) == 21 and amounts["o25"] == "12.00" and amounts["o31"] == "10.00"
    assert set(days[ONE]) <= {Path(uri) for uri in shop.files("silver/orders")}


def test_pruning_by_keys_changes_no_result(shop: SampleLake, monkeypatch: pytest.MonkeyPatch):
    """Also for a key whose event day moves, a tombstone and a key that two days bring."""
    monkeypatch.setattr(key_ranges, "WORTH_BYTES", 0)
    shop.land("orders", ONE, "a.csv", [order("b", day=ONE), order("m", day=TWO), order("y", day=THREE)])
    shop.orders(ONE)
    late = "2026-01-03T00:00:00Z"
    changes = [
        order("b", day=THREE, at=late),
        order("y", day=ONE, at=late),
        delete("m", late),
        delete("z", late),
    ]
    shop.land("orders", TWO, "a.csv", changes)
    shop.land("orders", THREE, "a.csv", [order("m", day=ONE, at="2026-01-04T00:00:00Z"), order("a", day=ONE)])
    shop.orders(TWO)
    shop.orders(THREE)
    assert shop.live("order_id", "order_date") == [("a", ONE), ("b", THREE), ("m", ONE), ("y", ONE)]
    assert len(shop.rows("silver/orders")) == 5
