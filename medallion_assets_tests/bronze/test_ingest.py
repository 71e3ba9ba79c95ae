"""A day of bronze converges to its folder, file by file, whatever happened before."""

import os
import shutil

import pytest

from medallion_assets.lakehouse.bronze import ingest
from medallion_assets.lakehouse.landing.area import LandingError
from medallion_assets_tests.support.sample_lake import SampleLake, as_csv, order

DAY, NEXT = "2026-01-01", "2026-01-02"


def held(shop: SampleLake) -> list:
    return shop.rows("bronze/orders", "_source_file", "order_id", "order_amount")


def at(day: str, name: str) -> str:
    return f"orders/date={day}/{name}"


def test_a_day_converges_to_its_folder_and_other_days_are_left_alone(shop: SampleLake):
    shop.land("orders", DAY, "a.csv", [order("o1"), order("o2")])
    shop.land("orders", DAY, "b.csv", [order("o3")])
    shop.land("orders", NEXT, "a.csv", [order("o9")])
    days = shop.run("bronze/orders", DAY, NEXT)
    assert (days[DAY].rows, days[NEXT].rows) == (3, 1)
    other_day = {file for file in shop.files("bronze/orders") if NEXT in file}

    shop.land("orders", DAY, "a.csv", [order("o1", amount="11.00")])  # corrected
    shop.remove("orders", DAY, "b.csv")
    shop.land("orders", DAY, "c.csv", [order("o4")])
    assert shop.run("bronze/orders", DAY)[DAY].rows == 2
    assert held(shop) == [
        (at(DAY, "a.csv"), "o1", "11.00"),
        (at(DAY, "c.csv"), "o4", "10.00"),
        (at(NEXT, "a.csv"), "o9", "10.00"),
    ]
    assert other_day <= shop.files("bronze/orders")


def test_a_second_run_makes_no_commit(shop: SampleLake):
    shop.land("orders", DAY, "a.csv", [order("o1")])
    shop.run("bronze/orders", DAY)
    tables = ("bronze/orders", "control/landed_files")
    before = shop.versions(tables)
    assert shop.run("bronze/orders", DAY)[DAY].rows == 1
    assert shop.versions(tables) == before


def test_a_new_file_leaves_the_files_of_the_day_as_they_are(shop: SampleLake):
    shop.land("orders", DAY, "a.csv", [order(f"o{i}") for i in range(100)])
    shop.run("bronze/orders", DAY)
    before = shop.files("bronze/orders")
    shop.land("orders", DAY, "b.csv", [order("new")])
    shop.run("bronze/orders", DAY)
    assert before < shop.files("bronze/orders")
    written = shop.table("bronze/orders").history(1)[0]["operationMetrics"]
    assert written["numOutputRows"] == "1"


def test_a_day_without_a_folder_is_no_data(shop: SampleLake):
    assert shop.run("bronze/orders", DAY)[DAY].files == {}
    assert not shop.lake.exists("bronze/orders")


def test_a_day_that_lost_all_its_files_is_emptied(shop: SampleLake):
    shop.land("orders", DAY, "a.csv", [order("o1")])
    shop.run("bronze/orders", DAY)
    shutil.rmtree(shop.landing / "orders" / f"date={DAY}")
    assert shop.run("bronze/orders", DAY)[DAY].rows == 0
    assert held(shop) == []


@pytest.mark.parametrize("lost", ["landing", "landing/orders"])
def test_a_missing_root_or_source_is_an_error_and_empties_nothing(shop: SampleLake, lost: str):
    shop.land("orders", DAY, "a.csv", [order("o1")])
    shop.run("bronze/orders", DAY)
    os.rename(shop.root / lost, shop.root / "away")
    with pytest.raises(LandingError, match=str(shop.root / lost)):
        shop.run("bronze/orders", DAY)
    assert len(held(shop)) == 1


def test_columns_come_and_go_and_nothing_is_dropped(shop: SampleLake):
    shop.land("orders", DAY, "a.csv", [order("o1")])
    shop.land("orders", DAY, "b.jsonl", '{"order_id": "o2", "colour": {"name":"rejected"}}\n')
    found = shop.run("bronze/orders", DAY)[DAY]
    assert found.drift(shop.tables["bronze/orders"]) == (["colour"], [])
    shop.land("orders", NEXT, "a.csv", "order_id,size\no3,XL\n")
    found = shop.run("bronze/orders", NEXT)[NEXT]
    new, missing = found.drift(shop.tables["bronze/orders"])
    assert new == ["size"] and "order_amount" in missing and "op" not in missing
    assert (
        shop.rows("bronze/orders", "order_id", "colour", "size")
        == [
            ("o1", None, None),
            ("o2", '{"name": "rejected"}', None),
            ("o3", None, "XL"),
        ]
        or shop.rows("bronze/orders", "order_id", "colour", "size")[1][1] == '{"name":"rejected"}'
    )


def test_an_unreadable_file_is_named_and_the_others_land(shop: SampleLake):
    shop.land("orders", DAY, "a.csv", [order("o1")])
    shop.land("orders", DAY, "b.parquet", b"this is no parquet file")
    found = shop.run("bronze/orders", DAY)[DAY]
    assert list(found.complaints) == [at(DAY, "b.parquet")]
    assert [row[1] for row in held(shop)] == ["o1"]
    shop.land("orders", DAY, "b.parquet", b"")
    assert shop.run("bronze/orders", DAY)[DAY].complaints == {}


def test_a_file_that_became_unreadable_keeps_its_earlier_rows_until_it_is_mended(shop: SampleLake):
    shop.land("orders", DAY, "a.csv", [order("o1")])
    shop.run("bronze/orders", DAY)
    shop.land("orders", DAY, "a.csv", "order_id,order_id\no2,o3\n")
    found = shop.run("bronze/orders", DAY)[DAY]
    assert "bronze keeps the earlier rows" in found.complaints[at(DAY, "a.csv")]
    assert [row[1] for row in held(shop)] == ["o1"]
    shop.land("orders", DAY, "a.csv", [order("o4"), order("o5")])
    assert shop.run("bronze/orders", DAY)[DAY].complaints == {}
    assert [row[1] for row in held(shop)] == ["o4", "o5"]


def test_a_file_that_comes_back_as_it_was_is_no_longer_said_to_be_unreadable(shop: SampleLake):
    path = shop.land("orders", DAY, "a.csv", [order("o1")])
    times = (path.stat().st_atime_ns, path.stat().st_mtime_ns)
    shop.run("bronze/orders", DAY)
    shop.land("orders", DAY, "a.csv", "order_id,order_id\no2,o3\n")
    found = shop.run("bronze/orders", DAY)[DAY]
    assert [(entry.status, entry.rows) for entry in found.files.values()] == [("kept", 1)]
    shop.land("orders", DAY, "a.csv", [order("o1")])
    os.utime(path, ns=times)
    assert shop.run("bronze/orders", DAY)[DAY].complaints == {}
    assert [row[1] for row in held(shop)] == ["o1"]


def test_a_changed_file_with_broken_records_replaces_its_rows(shop: SampleLake):
    good, other = as_csv([order("o1"), order("o2")]), as_csv([order("o6"), order("o7")])
    shop.land("orders", DAY, "a.csv", good + "o3,c1\n")
    shop.land("orders", DAY, "b.csv", other.replace("o6,c1", "o8,Zo\xeb").encode("latin-1"))
    shop.orders(DAY)
    shop.land("orders", DAY, "a.csv", good.replace("10.00", "20.00") + "o4,c1\n")
    shop.land("orders", DAY, "b.csv", other.replace("o6,c1", "o9,Zo\xeb").encode("latin-1"))
    day = shop.orders(DAY)[DAY]
    assert [row[1:] for row in held(shop)] == [
        ("o1", "20.00"),
        ("o2", "20.00"),
        ("o4", None),
        ("o7", "10.00"),
        ("o9", "10.00"),
    ]
    assert day.unaccounted == {}
    assert shop.live() == [("o1", "20.00"), ("o2", "20.00"), ("o7", "10.00")]


def test_names_that_spark_takes_for_one_column_are_one_over_files_formats_and_days(shop: SampleLake):
    header = "product_id,product_category,updated_at,{}\n{},FOOD,2026-01-05 10:00:00,{}\n"
    shop.land("products", DAY, "1.csv", header.format("\u0130ND\u0130R\u0130M", "p1", 5))
    shop.land("products", NEXT, "2.csv", header.format("indirim", "p2", 6))
    shop.land("products", NEXT, "3.csv", header.format("\u0131nd\u0131r\u0131m", "p3", 7))
    shop.land(
        "products", NEXT, "4.jsonl", '{"product_id":"p4","\u0130ndirim":"8"}\n{"PRODUCT_\u0130D":"p5"}\n'
    )
    shop.run("bronze/products", DAY)
    found = shop.run("bronze/products", NEXT)[NEXT]
    assert len(found.drift(shop.tables["bronze/products"])[0]) == 1
    assert shop.rows("bronze/products", "product_id", "\u0130ND\u0130R\u0130M") == [
        ("p1", "5"),
        ("p2", "6"),
        ("p3", "7"),
        ("p4", "8"),
        ("p5", None),
    ]


def test_a_file_without_a_column_of_the_contract_leaves_no_column_in_bronze(shop: SampleLake):
    shop.land("orders", DAY, "a.csv", [order("o1")])
    shop.land("orders", DAY, "b.csv", "w7,c1,p1\nw8,c1,p1\n")
    shop.land("orders", DAY, "c.csv", as_csv([order("o2")]).replace(",", ";"))
    found = shop.run("bronze/orders", DAY)[DAY]
    assert list(found.complaints) == [at(DAY, "b.csv")]
    assert found.notes == {at(DAY, "c.csv"): "separated by semicolons"}
    assert [row[1] for row in held(shop)] == ["o1", "o2"]
    columns = {field.name for field in shop.table("bronze/orders").schema().fields}
    assert {name for name in columns if not name.startswith("_")} == order("o1").keys()


def test_a_folder_that_cannot_be_listed_keeps_its_rows_and_is_named(shop: SampleLake):
    shop.land("orders", DAY, "a.csv", [order("o1")])
    shop.land("orders", NEXT, "a.csv", [order("o2")])
    shop.land("orders", NEXT, "sub/b.csv", [order("o3")])
    shop.run("bronze/orders", DAY, NEXT)
    before = held(shop)
    for folder in (at(DAY, "x"), at(NEXT, "sub/x")):
        path = (shop.landing / folder).parent
        path.rename(shop.root / path.name)
        path.symlink_to(path.name)
    shop.land("orders", NEXT, "c.csv", [order("o4")])
    (shop.landing / "orders" / "loose.csv").touch()
    found = shop.run("bronze/orders", DAY, NEXT)
    assert "symbolic links" in found[DAY].complaints[f"orders/date={DAY}"]
    assert list(found[NEXT].complaints) == [at(NEXT, "sub")]
    assert (found[DAY].beside, found[NEXT].beside) == (None, ["loose.csv"])
    assert held(shop) == sorted([*before, (at(NEXT, "c.csv"), "o4", "10.00")])


def test_a_lost_ledger_is_rebuilt_without_a_row_more(shop: SampleLake):
    shop.land("orders", DAY, "a.csv", [order("o1"), order("o2")])
    shop.run("bronze/orders", DAY)
    before = held(shop)
    shutil.rmtree(shop.lake.path("control/landed_files"))
    assert shop.run("bronze/orders", DAY)[DAY].rows == 2
    assert held(shop) == before


def test_a_crash_between_data_and_ledger_repeats_and_loses_nothing(shop: SampleLake, monkeypatch):
    shop.land("orders", DAY, "a.csv", [order("o1")])
    shop.land("orders", DAY, "b.csv", [order("o2")])
    real, calls = ingest.record, []

    def crash(*arguments):
        calls.append(arguments)
        if len(calls) == 2:  # the intent was recorded, the data was written, the ledger was not
            raise KeyboardInterrupt
        real(*arguments)

    monkeypatch.setattr(ingest, "record", crash)
    with pytest.raises(KeyboardInterrupt):
        shop.run("bronze/orders", DAY)
    monkeypatch.undo()
    assert len(held(shop)) == 2
    shop.remove("orders", DAY, "b.csv")
    assert shop.run("bronze/orders", DAY)[DAY].rows == 1
    assert [row[1] for row in held(shop)] == ["o1"]
