"""A large CSV file whose lines are its records is divided among tasks, and lands as any other does."""

from pathlib import Path

import pytest

from medallion_assets.lakehouse.landing.folder import LocalContent
from medallion_assets.lakehouse.landing.formats import csv_lines
from medallion_assets.lakehouse.landing.formats.csv_format import CsvLayout, sniff_csv
from medallion_assets_tests.support.landing_files import DAY, FOLDER, Landed

HEADER = b"id,name,note\n"
DIVISIBLE = {
    "plain.csv": HEADER + b"1,a,x\n2,b,\n",
    "marked.csv": b"\xef\xbb\xbf" + HEADER + b"1,a,x\n",
    "no_end.csv": HEADER + b"1,a,x\n2,b,y",
    "empty_lines.csv": HEADER + b"\n1,a,x\n\n\n2,b,y\n\n",
    "blanks_in_fields.csv": HEADER + b" 1 , ,\t\n,,\n",
    "too_few_fields.csv": HEADER + b"1,a\n2,b,y\n",
    "too_many_fields.csv": HEADER + b"1,a,x,more\n2,b,y\n",
    "no_utf8.csv": HEADER + b"1,caf\xe9,x\n2,b,y\n",
    "accents.csv": HEADER + "1,ü€😀,x\n".encode(),
    "comment.csv": HEADER + b"#1,a,x\n",
    "backslash.csv": HEADER + b"1,a\\,x\n2,\\n,y\n",
    "semicolons.csv": b"id;name;note\n1;a;x\n2;b,c;y\n",
}
WHOLE = {
    "quotes.csv": HEADER + b'1,"a\nb",x\n',
    "a_quote_within.csv": HEADER + b'1,5" disk,x\n',
    "carriage_returns.csv": HEADER.replace(b"\n", b"\r\n") + b"1,a,x\r\n",
    "one_carriage_return.csv": HEADER + b"1,a\rb,x\n",
    "nul.csv": HEADER + b"1,\0,x\n",
    "line_of_blanks.csv": HEADER + b"1,a,x\n  \t\n2,b,y\n",
    "last_line_of_blanks.csv": HEADER + b"1,a,x\n   ",
    "utf16.csv": (HEADER + b"1,a,x\n").decode().encode("utf-16"),
}
FILES = DIVISIBLE | WHOLE


def test_files_land_as_they_do_undivided(spark, tmp_path: Path, monkeypatch):
    undivided = Landed(spark, tmp_path, FILES)
    monkeypatch.setattr(csv_lines, "WORTH_BYTES", 0)
    divided = Landed(spark, tmp_path)
    for name in FILES:
        assert divided.report(name) == undivided.report(name), name
        assert divided.records(name) == undivided.records(name), name
    layouts = {name: sniff_csv(LocalContent(str(tmp_path / FOLDER / name)), ("id",)) for name in FILES}
    assert {name for name, layout in layouts.items() if is_divisible(layout)} == DIVISIBLE.keys()


def is_divisible(layout: object) -> bool:
    return isinstance(layout, CsvLayout) and layout.divisible


@pytest.mark.parametrize("block", range(1, 40))
def test_what_one_task_must_read_is_found_wherever_blocks_end(tmp_path: Path, monkeypatch, block: int):
    monkeypatch.setattr(csv_lines, "WORTH_BYTES", 0)
    monkeypatch.setattr(csv_lines, "_BLOCK", block)
    path = tmp_path / "a.csv"
    path.write_bytes(WHOLE["line_of_blanks.csv"])
    assert not csv_lines.has_record_per_line(LocalContent(str(path)))
    path.write_bytes(DIVISIBLE["empty_lines.csv"])
    assert csv_lines.has_record_per_line(LocalContent(str(path)))


def test_records_of_a_divided_file_keep_their_places(spark, tmp_path: Path):
    """Nine megabytes, of which Spark makes several tasks where it has several cores."""
    lines = b"".join(b"%d,%s,x\n" % (number, b"n" * 190) for number in range(46_000))
    path = tmp_path / "orders" / f"date={DAY}" / "large.csv"
    path.parent.mkdir(parents=True)
    path.write_bytes(HEADER + lines)
    assert is_divisible(sniff_csv(LocalContent(str(path)), ("id",)))
    spark.conf.set("spark.sql.files.maxPartitionBytes", str(2**20))
    try:
        landed = Landed(spark, tmp_path)
    finally:
        spark.conf.unset("spark.sql.files.maxPartitionBytes")
    assert [int(row[0] or 0) for row in landed.records("large.csv")] == list(range(46_000))
