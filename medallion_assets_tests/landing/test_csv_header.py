"""Which line of a CSV file is its header, what separates its fields, and what is no CSV file of the table."""

import gzip
import io
import os

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from medallion_assets.lakehouse.landing.column_names import UnreadableFile
from medallion_assets.lakehouse.landing.folder import LocalContent
from medallion_assets.lakehouse.landing.formats.detection import sniff
from medallion_assets_tests.support.landing_files import Landed

REQUIRED = ("id", "Name", "note")
READ = {
    "blanks.csv": (b"  \n\t\n", ""),
    "late.csv": (b"#" * 9_000 + b'\nid,name,note\n1,A;nn,"x,y"\n', "below 1 other lines"),
    "plain.csv": (b"id,name,extra\n1,Ann,x\n#2,Bob,y\n", ""),
    "semicolons.csv": (b'\xef\xbb\xbfid;name;note\r\n1;"A;nn";x,y\r\n', "separated by semicolons"),
    "quoted.csv": (b'"id";"name";"note"\n"1";"A;nn";"x,y"\n', "separated by semicolons"),
    "excel.csv": (
        b'sep=;\r\nid;name;note\r\n1;"A;nn";x,y\r\n',
        "separated by semicolons, below 1 other lines",
    ),
    "tabs.csv": ("id\tname\tnote\n1\tA;nn\tx,y\n".encode("utf-16"), "separated by tabs"),
    "tabs.tsv": (b"id\tname\tnote\n1\tA;nn\tx,y\n", ""),
    "commas.tsv.gz": (gzip.compress(b'id,name,note\n1,A;nn,"x,y"\n'), "separated by commas"),
    "bars.csv": (b"id|name|note\n1|A;nn|x,y\n", "separated by vertical bars"),
    "comments.csv": (
        b'# by "hand\n#\n\n  \n,,\nid,name,note\n1,A;nn,"x,y"\n#2,Bob,"\nz"\n',
        "below 5 other lines",
    ),
}
ZIPPED = gzip.compress(b"id,name,note\n" + os.urandom(4_000))
SINK = io.BytesIO()
pq.write_table(pa.table({"other": ["x"]}), SINK)
REFUSED = {
    "no-header.csv": (b"w7,c1,p1\n", "it has no header, or one of other names ('w7,c1,p1')"),
    "no-header-semicolons.csv": (b"w7;c1;p1\n", "it is separated by semicolons, and has no header"),
    "one-of-three.csv": (b"id;nom;texte\n1;a;b\n", "it is separated by semicolons"),
    "page.csv": (b"\n <!DOCTYPE html>\n<html><h1>503, sorry</h1></html>", "it is an HTML page"),
    "list.csv": (b"<?xml version='1.0'?>\n<a/>", "it is XML"),
    "lines.csv": (b'{"id": "1", "name": "Ann"}\n', "it holds JSON lines; name it .jsonl"),
    "array.csv": (b'[\n{"id": "1", "name": "Ann"}]\n', "it holds JSON; name it .json"),
    "comments-only.csv": (b"# nothing\n# here\n", "it has no header"),
    "many-columns.csv": (b"a," * 20_480 + b"id\n", "its header has 20481 columns"),
    "one-line.csv.gz": (gzip.compress(b"x" * 2**21), "no line ends within its first MiB"),
    "quoted-line.csv.gz": (gzip.compress(b'id,"' + b"x\n" * 2**20), "the header is not well-formed CSV"),
    "cut-in-its-header.csv.gz": (ZIPPED[:9], "it is no complete gzip file"),
    "cut.csv.gz": (ZIPPED[:200], "it is no complete gzip file"),
    "flipped.csv.gz": (ZIPPED[:50] + b"\xff" + ZIPPED[51:], "it is no complete gzip file"),
    "other.parquet": (SINK.getvalue(), "it has none of the contract's columns (id, Name, note)"),
}


def test_a_header_is_found_where_it_has_all_columns_of_the_contract(spark, tmp_path):
    landed = Landed(spark, tmp_path, {name: content for name, (content, _) in READ.items()}, REQUIRED)
    assert {name: landed.report(name).note for name in READ} == {
        name: note for name, (_, note) in READ.items()
    }
    assert not any(landed.report(name).message for name in READ)
    assert landed.records("plain.csv") == [("1", "Ann", "x", None), ("#2", "Bob", "y", None)]
    assert landed.records("comments.csv") == [("1", "A;nn", "x,y", None), ("#2", "Bob", "\nz", None)]
    assert landed.report("blanks.csv").status == "empty"
    for name in READ.keys() - {"plain.csv", "comments.csv", "blanks.csv"}:
        assert landed.records(name) == [("1", "A;nn", "x,y", None)], name


@pytest.mark.parametrize("name", REFUSED)
def test_a_file_without_a_column_of_the_contract_is_refused_with_the_probable_reason(tmp_path, name):
    content, reason = REFUSED[name]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UnreadableFile) as refused:
        sniff(LocalContent(str(tmp_path / name)), REQUIRED)
    assert reason in str(refused.value)


def test_a_table_without_columns_takes_any_header(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"w7;c1;p1\n")
    layout = sniff(LocalContent(str(tmp_path / "a.csv")))
    assert layout and layout.columns == ("w7_c1_p1",)
