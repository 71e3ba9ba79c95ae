"""The landing as a whole: which files count, and many files, good and bad, in one call."""

import gzip
import os
from datetime import date, datetime, timezone

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from medallion_assets.lakehouse.landing import reader
from medallion_assets.lakehouse.landing.area import LandingError
from medallion_assets.lakehouse.landing.folder import LocalContent
from medallion_assets.lakehouse.landing.formats import loader
from medallion_assets.lakehouse.landing.formats.csv_format import CsvLayout, sniff_csv
from medallion_assets.lakehouse.landing.listing import (
    foreign_entries,
    list_days,
    list_files,
)
from medallion_assets.lakehouse.landing.reader import place_in_file, read_files
from medallion_assets_tests.support.landing_files import DAY, FOLDER, Landed, land

ODD_NAMES = [
    "a b+c%20#é.csv",
    "x[1].csv",
    "x{a,b}.csv",
    "q?.csv",
    "st*r.csv",
    "back\\slash.csv",
    "'quoted'.csv",
]
HEADER = b"id,name\n"


def test_a_listing_is_sorted_and_gives_the_identity_of_each_file(tmp_path):
    land(tmp_path, {"part-2.csv": HEADER, "part-1.csv": b"", "sub/part-3.csv": HEADER})
    os.utime(tmp_path / FOLDER / "part-2.csv", ns=(0, 1_767_616_200_123_456_789))
    files = list_files(str(tmp_path), "orders", [DAY])
    assert [file.path for file in files] == [
        f"{FOLDER}/{name}" for name in ("part-1.csv", "part-2.csv", "sub/part-3.csv")
    ]
    assert (files[1].day, files[1].size) == (DAY, 8)
    assert files[1].modified_at == datetime(2026, 1, 5, 12, 30, 0, 123_000, tzinfo=timezone.utc)


def test_unfinished_and_hidden_files_are_left_for_later(tmp_path):
    land(
        tmp_path, dict.fromkeys(["a.csv.part", "a.tmp", "_SUCCESS", ".a.csv.crc", "_temporary/a.csv"], HEADER)
    )
    assert list_files(str(tmp_path), "orders", [DAY]) == []


def test_a_day_without_a_folder_has_no_files(tmp_path):
    land(tmp_path, {"a.csv": HEADER})
    assert list_files(str(tmp_path), "orders", ["2026-01-06"]) == []


def test_only_dates_are_days(tmp_path):
    for name in ("date=2026-01-06", "date=2026-02-30", "date=2026-1-7", "2026-01-08", "date=2026-01-05"):
        (tmp_path / "orders" / name).mkdir(parents=True)
    (tmp_path / "orders" / "date=2026-01-09").write_bytes(b"")
    assert list_days(str(tmp_path), "orders") == ["2026-01-05", "2026-01-06"]


def test_what_lies_beside_the_days_is_listed(tmp_path):
    land(tmp_path, {"a.csv": HEADER})
    beside = ["2026-01-05", "DATE=2026-01-05", "date=2026-01-05 ", "date=2026-1-5", "date=2026-13-01"]
    for name in [*beside, "_temporary", ".snapshot"]:
        (tmp_path / "orders" / name).mkdir()
    for name in ["loose.csv", "_SUCCESS", "b.csv.part"]:
        (tmp_path / "orders" / name).write_bytes(HEADER)
    assert foreign_entries(str(tmp_path), "orders") == [*beside, "loose.csv"]


def test_an_entry_that_cannot_be_told_is_a_fault_of_its_own(tmp_path):
    land(tmp_path, {"a.csv": HEADER, "sub/b.csv": HEADER})
    folder = tmp_path / FOLDER
    (folder / "itself.csv").symlink_to("itself.csv")
    (folder / "nowhere.csv").symlink_to("gone.csv")
    (folder / "sub" / "upwards").symlink_to(folder)
    os.mkfifo(folder / "pipe.csv")
    (folder / os.fsdecode(b"caf\xe9.csv")).write_bytes(HEADER)
    (tmp_path / "orders" / "date=2026-01-06").symlink_to("unmounted")
    files = list_files(str(tmp_path), "orders", list_days(str(tmp_path), "orders"))
    assert {
        file.path.removeprefix("orders/date=2026-01-"): file.fault.partition(";")[0] for file in files
    } == {
        "05/a.csv": "",
        "05/caf\\xe9.csv": "its name is not UTF-8",
        "05/itself.csv": "Too many levels of symbolic links",
        "05/nowhere.csv": "No such file or directory",
        "05/pipe.csv": "it is neither a file nor a folder",
        "05/sub/b.csv": "",
        "05/sub/upwards": "a link to a folder that it lies in",
        "06": "No such file or directory",
    }


@pytest.mark.parametrize("root", ["nowhere", "."])
def test_a_missing_landing_is_an_error_and_not_an_empty_day(tmp_path, root):
    with pytest.raises(LandingError, match="is not there"):
        list_files(str(tmp_path / root), "orders", [DAY])


def test_odd_file_names_come_back_as_listed(spark, tmp_path):
    landed = Landed(spark, tmp_path, dict.fromkeys([*ODD_NAMES, "12:30.csv"], HEADER + b"1,Ann\n"))
    assert {name: landed.rows(name) for name in ODD_NAMES} == {
        name: [{"id": "1", "name": "Ann"}] for name in ODD_NAMES
    }
    assert "colon" in landed.report("12:30.csv").message


def test_columns_match_by_name_whatever_their_order_case_or_format(spark, tmp_path):
    landed = Landed(
        spark,
        tmp_path,
        {
            "1.csv": b"id,Name\n1,Ann\n",
            "2.csv": b"name,note,id\nBob,new,2\n",
            "3.csv": b"id\n3\n",
            "4.jsonl": b'{"ID":4,"name":"Dan","zip":"01"}\n',
        },
    )
    assert landed.columns == [
        "Name",
        "id",
        "note",
        "zip",
        "_corrupt_record",
        "_ingestion_date",
        "_source_file",
        "_source_modified_at",
    ]
    assert landed.rows("1.csv") == [{"id": "1", "Name": "Ann"}]
    assert landed.rows("2.csv") == [{"id": "2", "Name": "Bob", "note": "new"}]
    assert landed.rows("3.csv") == [{"id": "3"}]
    assert landed.rows("4.jsonl") == [{"id": "4", "Name": "Dan", "zip": "01"}]


def test_rows_say_where_they_come_from(spark, tmp_path):
    land(tmp_path, {"sub/a.csv": HEADER + b"1,Ann\n"})
    (file,) = list_files(str(tmp_path), "orders", [DAY])
    frame, _ = read_files(spark, str(tmp_path), [file])
    assert frame is not None and frame.is_cached
    (row,) = frame.collect()
    frame.unpersist()
    assert row["_ingestion_date"] == date(2026, 1, 5)
    assert row["_source_file"] == f"{FOLDER}/sub/a.csv"
    assert row["_source_modified_at"].astimezone(timezone.utc) == file.modified_at


def test_places_ascend_within_each_file_whatever_parts_it_is_read_in(spark, tmp_path):
    lines = {name: b"".join(b'{"id":%d}\n' % i for i in range(n)) for name, n in (("a", 3000), ("b", 1777))}
    numbers = {"c.csv": b"id\n" + b"".join(b"%d\n" % i for i in range(2000))}
    array = {"d.json": b"[" + b",".join(b'{"id":%d}' % i for i in range(900)) + b"]"}
    land(tmp_path, {f"{name}.jsonl": content for name, content in lines.items()} | numbers | array)
    pq.write_table(pa.table({"id": list(range(4000))}), tmp_path / FOLDER / "e.parquet", row_group_size=100)
    small = {"spark.sql.files.maxPartitionBytes": "5000", "spark.sql.files.openCostInBytes": "10"}
    for name, value in small.items():
        spark.conf.set(name, value)
    try:
        frame, _ = read_files(spark, str(tmp_path), list_files(str(tmp_path), "orders", [DAY]))
        assert frame is not None and frame.rdd.getNumPartitions() > 15
        rows = (
            frame.withColumn("_source_row", place_in_file())
            .select("_source_row", "_source_file", "id")
            .collect()
        )
        frame.unpersist()
    finally:
        for name in small:
            spark.conf.unset(name)
    by_file: dict[str, list[int]] = {}
    for row in sorted(rows, key=lambda row: row["_source_row"]):
        by_file.setdefault(row["_source_file"].rpartition("/")[2], []).append(int(row["id"]))
    counts = {"a.jsonl": 3000, "b.jsonl": 1777, "c.csv": 2000, "d.json": 900, "e.parquet": 4000}
    assert by_file == {name: list(range(count)) for name, count in counts.items()}


def test_bad_files_are_named_and_the_good_ones_still_land(spark, tmp_path):
    cut = gzip.compress(HEADER + b"".join(b"%d,Ann\n" % number for number in range(50_000)))[:50_000]
    utf16 = "id,name\n1,Zoë\n".encode("utf-16") + b"\x00\xd8a"
    land(tmp_path, {f"good-{number}.csv": HEADER + b"1,Ann\n" for number in range(4)})
    land(tmp_path, {"broken-quote.csv": HEADER + b'1,"Ann\n2,Bob\n', "utf16.csv": utf16, "notes.txt": b"?"})
    land(tmp_path, {"cut-1.csv.gz": cut, "cut-2.csv.gz": cut, "gone.csv": HEADER + b"1,Ann\n"})
    files = list_files(str(tmp_path), "orders", [DAY])
    (tmp_path / FOLDER / "gone.csv").unlink()
    frame, reports = read_files(spark, str(tmp_path), files)
    assert frame is not None and frame.count() == 6
    frame.unpersist()
    bad = {
        report.file.path.removeprefix(f"{FOLDER}/"): report.message
        for report in reports
        if report.status == "unreadable"
    }
    assert list(bad) == ["cut-1.csv.gz", "cut-2.csv.gz", "gone.csv", "notes.txt", "utf16.csv"]
    assert all(name in message for name, message in bad.items())
    assert "Spark cannot read it" in bad["cut-1.csv.gz"]
    assert "No such file" in bad["gone.csv"]
    assert ".parquet" in bad["notes.txt"]


def test_no_records_at_all_is_no_frame(spark, tmp_path):
    land(tmp_path, {"a.csv": HEADER, "b.csv": b"", "c.parquet": b"no"})
    frame, reports = read_files(spark, str(tmp_path), list_files(str(tmp_path), "orders", [DAY]))
    assert frame is None
    assert [report.status for report in reports] == ["empty", "empty", "unreadable"]
    assert read_files(spark, str(tmp_path), []) == (None, [])


def test_folders_of_key_and_value_below_a_day_are_columns(spark, tmp_path):
    row = HEADER + b"1,Ann\n"
    files = {
        "store=12/a.csv": row,
        "store=a%2Fb+c%zz/Part=__HIVE_DEFAULT_PARTITION__/a.csv": row,
        "store=12/part=p1/NAME=Zo%C3%AB/a.csv": b"id,name\n1,Ann\n2,\n",
        "sub/store=13/a.jsonl": b'{"id":1}\n',
        "plain/a.csv": row,
        "store=/a b=x/a.csv": row,
    }
    landed = Landed(spark, tmp_path, files)
    ann = {"id": "1", "name": "Ann"}
    assert {name: landed.rows(name) for name in files} == {
        "store=12/a.csv": [ann | {"store": "12"}],
        "store=a%2Fb+c%zz/Part=__HIVE_DEFAULT_PARTITION__/a.csv": [ann | {"store": "a%2Fb+c%zz"}],
        "store=12/part=p1/NAME=Zo%C3%AB/a.csv": [
            ann | {"store": "12", "part": "p1"},
            {"id": "2", "name": "Zo\u00eb", "store": "12", "part": "p1"},
        ],
        "sub/store=13/a.jsonl": [{"id": "1", "store": "13"}],
        "plain/a.csv": [ann],
        "store=/a b=x/a.csv": [ann | {"a_b": "x"}],
    }
    assert landed.report("store=12/a.csv").columns == ("id", "name", "store")


class Alone(CsvLayout):
    """Files that cannot be read together, and one that cannot be read at all."""

    def read(self, spark, paths):
        if len(paths) > 1 or paths[0].endswith("never.csv"):
            raise ValueError("no such thing\nand more")
        return super().read(spark, paths)


def test_files_that_fail_only_together_are_read_apart(spark, tmp_path):
    names = ["a.csv", "b.csv", "never.csv", "c.csv"]
    land(tmp_path, dict.fromkeys(names, HEADER + b"1,Ann\n"))
    plain = sniff_csv(LocalContent(str(tmp_path / FOLDER / "a.csv")))
    assert isinstance(plain, CsvLayout)
    layouts = {f"{FOLDER}/{name}": Alone(**vars(plain)) for name in names}
    frame, counts, failed = loader.load(spark, str(tmp_path), layouts)
    assert frame is not None and frame.count() == 3
    frame.unpersist()
    assert {path: count["rows"] for path, count in counts.items()} == {
        f"{FOLDER}/{name}.csv": 1 for name in "abc"
    }
    reason = "Spark cannot read it (ValueError: no such thing); fix it or land it again"
    assert failed == {f"{FOLDER}/never.csv": reason}


def test_a_lack_of_memory_is_no_fault_of_a_file(spark, tmp_path, monkeypatch):
    def exhausted(*_):
        raise MemoryError

    land(tmp_path, {"a.csv": HEADER})
    monkeypatch.setattr(reader, "sniff", exhausted)
    with pytest.raises(MemoryError):
        read_files(spark, str(tmp_path), list_files(str(tmp_path), "orders", [DAY]))


def test_a_file_that_changes_while_it_is_read_waits_for_the_next_run(spark, tmp_path, monkeypatch):
    land(tmp_path, {"a.csv": HEADER + b"1,Ann\n", "grows.csv": HEADER + b"2,Bob\n"})
    real = loader.load

    def load_while_it_grows(*arguments):
        loaded = real(*arguments)
        with (tmp_path / FOLDER / "grows.csv").open("ab") as file:
            file.write(b"3,Cid\n")
        return loaded

    monkeypatch.setattr(reader, "load", load_while_it_grows)
    landed = Landed(spark, tmp_path)
    assert landed.rows("a.csv") == [{"id": "1", "name": "Ann"}]
    assert landed.report("grows.csv").status == "unreadable"
    assert "somebody still writes it" in landed.report("grows.csv").message
    assert landed.rows("grows.csv") == []
    monkeypatch.undo()
    assert {row["id"] for row in Landed(spark, tmp_path).rows("grows.csv")} == {"2", "3"}


def test_json_in_gzip_and_other_endings_are_read_or_named(spark, tmp_path):
    lines, document = b'{"id":1.0}\n{"id":2}\n', b'[{"id":1.0},\n{"id":2}]'
    files = {
        "a.ndjson": lines,
        "a.jsonl.gz": gzip.compress(lines),
        "a.ndjson.gz": gzip.compress(lines),
        "lines.json.gz": gzip.compress(lines),
        "document.json.gz": gzip.compress(document),
        "utf16.jsonl.gz": gzip.compress(lines.decode().encode("utf-16")),
        "huge.json.gz": gzip.compress(b"[" + b" " * 33 * 2**20 + b"]"),
        "a.CSV.GZ": gzip.compress(HEADER),
        "a.zip": b"PK",
    }
    landed = Landed(spark, tmp_path, files)
    read = [name for name in files if landed.report(name).status == "loaded"]
    assert read == list(files)[:6]
    assert all(landed.rows(name) == [{"id": "1.0"}, {"id": "2"}] for name in read)
    assert "too large for one JSON document" in landed.report("huge.json.gz").message
    assert "small letters; rename it" in landed.report("a.CSV.GZ").message
    assert "land it unpacked" in landed.report("a.zip").message
