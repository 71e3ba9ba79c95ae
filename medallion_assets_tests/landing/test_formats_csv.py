"""CSV, well-formed and broken: bytes in, rows out. All files are read together, as a day's are."""

import gzip

import pytest

from medallion_assets.lakehouse.landing.formats import csv_format
from medallion_assets_tests.support.landing_files import Landed

FILES = {
    "plain.csv": b"id,name,note\n007,Ann, x \n2026-02-30,NaN,\n",
    "empty-text.csv": b'id,name,note\n1,,""\n',
    "bom-crlf.csv": b'\xef\xbb\xbf"id",name,note\r\n1,Ann,x\r\n2,"a, b",\r\n',
    "quotes.csv": b'id,name,note\n1,"the ""best""","line 1\nline 2, still"\n2,5" disk,x\n',
    "crlf-in-quotes.csv": b'id,name,note\r\n1,"line 1\r\nline 2",x\r\n2,Bob,"y\r\nz, z"\r\n',
    "field-counts.csv": b"id,name,note\n1,Ann\n2,Bob,x,y\n\n3,Cid,z\n",
    "zipped.csv.gz": gzip.compress(b"id,name,note\n1,Ann,x\n"),
    "zipped-unclosed.csv.gz": gzip.compress(b'id,name,note\n1,"Ann,x\n2,Bob,y\n'),
    "utf16-le.csv": "id,name,note\n1,Zoë,x\n".encode("utf-16"),
    "utf16-be.csv": b"\xfe\xff" + 'id,name,note\n1,"Zoë\nX",x\n'.encode("utf-16-be"),
    "utf16-unclosed.csv": 'id,name,note\n1,"Zoë,x\n2,Bob,y\n'.encode("utf-16"),
    "utf16-no-bom.csv": "id,name,note\n1,Zoë,x\n".encode("utf-16-le"),
    "latin1.csv": "id,name,note\n1,Zoë,x\n".encode("latin-1") + 'id,Zoë,"a\nb"\n'.encode() + b"3,Bob,y\n",
    "latin1-header.csv": "id,größe\n1,ä\n".encode("latin-1"),
    "replacement-character.csv": "id,name,note\n1,\ufffd,x\n".encode(),
    "unclosed.csv": b'id,name,note\n1,Ann,x\n2,"Bob,y\n3,"l1\nl2",\n4,"a ""b""",""\n5,Eve\n6,5" disk,z\n',
    "unclosed-last-column.csv": b'id,name,note\r\n1,Ann,"x\r\n2,Bob,y\r\n3,"l1\r\nl2",z\r\n',
    "unclosed-bom.csv": b'\xef\xbb\xbf"i\nd",name\n1,"Ann\n2,Bob\n',
    "unclosed-twice.csv": b'id,name,note\n1,"Ann,x\n2,Bob,y\n3,"Cid,z\n4,Dan,w\n',
    "unclosed-last-line.csv": b'id,name,note\n1,Ann,x\n2,Bob,"y\n',
    "zero.csv": b"",
    "blank.csv": b"\n\n",
    "header-only.csv": b"id,name,note\n",
    "names.csv": b' id ,,a b;c,_source_file,date,_metadata,"x\ny",a.b`c\n1,2,3,4,5,6,7,8\n',
    "duplicated.csv": b"id,Name,name\n1,2,3\n",
    "unclosed-header.csv": b'id,"name,note\n1,Ann,x\n',
    "lf-then-crlf.csv": b'id,name,note\n1,Ann,x\r\n2,"Bob\r\nB",\r\n\r\n3,Cid,"z"\r\n4,Dan,w\r5,a\rb,v\n6,Eve,u\r\r\n',
    "crlf-then-lf.csv": b'id,name,note\r\n1,Ann,x\n2,"Bob\r\nB",y\n3,Cid,z',
    "crlf-then-lf-single-column.csv": b'id\r\n1\n2\r\n"3\r\n4"\n5',
    "cr.csv": b'id,name,note\r1,Ann,x\r2,"Bob\rB",\r\r3,Cid,z\r',
    "cr-unclosed.csv": b'id,name,note\r1,"Ann,x\r2,Bob,y\r',
    "long-field.csv": b"id,name,note\n1,Ann,x\n2," + b"y" * (2**20 + 1) + b",x\n3,Cid,z\n",
    "many-fields.csv": b"id,name,note\n1,Ann,x\n2" + b"," * 30_000 + b"\n3,Cid,z\n",
    "single-column.csv": b'id\n1\n\n"2\n3"\n""\n',
    "not-gzip.csv.gz": b"id,name,note\n1,Ann,x\n",
}


@pytest.fixture(scope="module")
def landed(spark, tmp_path_factory):
    return Landed(spark, tmp_path_factory.mktemp("csv"), FILES)


def test_every_field_is_text_as_landed(landed):
    assert landed.records("plain.csv") == [("007", "Ann", " x ", None), ("2026-02-30", "NaN", None, None)]


def test_an_empty_field_is_null_and_an_empty_quoted_field_is_empty_text(landed):
    assert landed.records("empty-text.csv") == [("1", None, "", None)]


def test_bom_crlf_and_a_quoted_header_leave_no_trace(landed):
    assert landed.records("bom-crlf.csv") == [("1", "Ann", "x", None), ("2", "a, b", None, None)]


def test_quotes_are_doubled_and_may_hold_newlines(landed):
    assert landed.records("quotes.csv") == [
        ("1", 'the "best"', "line 1\nline 2, still", None),
        ("2", '5" disk', "x", None),
    ]
    assert landed.report("quotes.csv").message == ""


def test_newlines_in_quotes_become_plain_newlines_in_crlf_files(landed):
    assert landed.records("crlf-in-quotes.csv") == [
        ("1", "line 1\nline 2", "x", None),
        ("2", "Bob", "y\nz, z", None),
    ]


def test_too_few_and_too_many_fields_are_flagged_and_still_parsed(landed):
    assert landed.records("field-counts.csv") == [
        ("1", "Ann", None, "1,Ann"),
        ("2", "Bob", "x", "2,Bob,x,y"),
        ("3", "Cid", "z", None),
    ]
    report = landed.report("field-counts.csv")
    assert (report.status, report.rows, report.corrupt) == ("loaded", 3, 2)
    assert "field-counts.csv: 2 records are broken" in report.message


def test_gzipped_files_are_read_like_plain_ones(landed):
    assert landed.records("zipped.csv.gz") == [("1", "Ann", "x", None)]
    assert landed.records("zipped-unclosed.csv.gz") == [
        ("1", "Ann,x", None, '1,"Ann,x'),
        ("2", "Bob", "y", None),
    ]


def test_utf16_is_read_by_its_bom(landed):
    assert landed.records("utf16-le.csv") == [("1", "Zoë", "x", None)]
    assert landed.records("utf16-be.csv") == [("1", "Zoë\nX", "x", None)]
    assert landed.records("utf16-unclosed.csv") == [("1", "Zoë,x", None, '1,"Zoë,x'), ("2", "Bob", "y", None)]


def test_latin1_bytes_are_kept_and_flagged_and_utf8_beside_them_stays_right(landed):
    assert landed.records("latin1.csv") == [
        ("1", "Zoë", "x", "1,Zoë,x"),
        ("id", "Zoë", "a\nb", None),
        ("3", "Bob", "y", None),
    ]
    assert landed.report("latin1.csv").message.endswith(
        "latin1.csv: 1 records are not valid UTF-8; convert the file to UTF-8"
    )
    assert landed.records("latin1-header.csv") == [("1", "ä", "1,ä")]
    assert landed.report("latin1-header.csv").columns == ("id", "größe")


def test_a_landed_replacement_character_is_no_fault(landed):
    assert landed.records("replacement-character.csv") == [("1", "\ufffd", "x", None)]
    assert landed.report("replacement-character.csv").message == ""


def test_an_unclosed_quote_breaks_its_own_line_only(landed):
    assert landed.records("unclosed.csv") == [
        ("1", "Ann", "x", None),
        ("2", "Bob,y", None, '2,"Bob,y'),
        ("3", "l1\nl2", None, None),
        ("4", 'a "b"', "", None),
        ("5", "Eve", None, "5,Eve"),
        ("6", '5" disk', "z", None),
    ]
    assert landed.records("unclosed-last-column.csv") == [
        ("1", "Ann", "x", '1,Ann,"x'),
        ("2", "Bob", "y", None),
        ("3", "l1\nl2", "z", None),
    ]
    assert landed.records("unclosed-bom.csv") == [("1", "Ann", '1,"Ann'), ("2", "Bob", None)]
    assert landed.records("unclosed-twice.csv") == [
        ("1", "Ann,x", None, '1,"Ann,x'),
        ("2", "Bob", "y", None),
        ("3", "Cid,z", None, '3,"Cid,z'),
        ("4", "Dan", "w", None),
    ]
    assert landed.records("unclosed-last-line.csv") == [
        ("1", "Ann", "x", None),
        ("2", "Bob", "y", '2,Bob,"y'),
    ]


def test_each_line_ends_where_it_ends_whatever_the_lines_before_it_end_with(landed):
    assert landed.records("lf-then-crlf.csv") == [
        ("1", "Ann", "x", None),
        ("2", "Bob\r\nB", None, None),
        ("3", "Cid", "z", None),
        ("4", "Dan", "w", None),
        ("5", "a\rb", "v", None),  # a line that ended there would have too few fields
        ("6", "Eve", "u", None),
    ]
    assert landed.report("lf-then-crlf.csv").message == ""
    three = [("1", "Ann", "x", None), ("2", "Bob\nB", "y", None), ("3", "Cid", "z", None)]
    assert landed.records("crlf-then-lf.csv") == three
    single = [("1", None), ("2", None), ("3\n4", None), ("5", None)]
    assert landed.records("crlf-then-lf-single-column.csv") == single
    assert landed.records("cr.csv") == [three[0], ("2", "Bob\nB", None, None), three[2]]
    assert landed.records("cr-unclosed.csv") == [("1", "Ann,x", None, '1,"Ann,x'), ("2", "Bob", "y", None)]


@pytest.mark.parametrize("name", ["long-field.csv", "many-fields.csv"])
def test_a_record_that_is_too_long_for_spark_is_corrupt_and_the_others_land(landed, name):
    first, broken, last = landed.records(name)
    assert (first, last) == (("1", "Ann", "x", None), ("3", "Cid", "z", None))
    assert broken[:3] == (None, None, None)
    assert broken[3].encode() == FILES[name].split(b"\n")[2]
    assert "1 records are broken" in landed.report(name).message


@pytest.mark.parametrize("name", ["zero.csv", "blank.csv", "header-only.csv"])
def test_a_file_without_records_is_empty(landed, name):
    report = landed.report(name)
    assert (report.status, report.rows, report.message) == ("empty", 0, "")


def test_names_are_made_fit_for_delta_and_never_ours(landed):
    assert landed.report("names.csv").columns == (
        "id",
        "column_2",
        "a_b_c",
        "landed_source_file",
        "date",
        "landed_metadata",
        "x_y",
        "a.b`c",
    )
    assert landed.records("names.csv") == [("1", "2", "3", "4", "5", "6", "7", "8", None)]


def test_a_single_column_may_hold_newlines_and_empty_text(landed):
    assert landed.records("single-column.csv") == [("1", None), ("2\n3", None), ("", None)]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("duplicated.csv", "the column 'name' occurs twice"),
        ("unclosed-header.csv", "the header is not well-formed CSV"),
        ("utf16-no-bom.csv", "the header holds NUL bytes"),
        ("not-gzip.csv.gz", "Not a gzipped file"),
    ],
)
def test_an_unreadable_file_says_why_and_the_others_still_land(landed, name, reason):
    report = landed.report(name)
    assert (report.status, report.rows) == ("unreadable", 0)
    assert name in report.message
    assert reason in report.message


def test_an_unclosed_quote_with_a_long_tail_breaks_its_own_line_only(spark, tmp_path):
    content = b'id,name,note\n1,"Ann,x\n' + (b"2,Bob," + b"y" * 1_000 + b"\n") * 1_100
    report = Landed(spark, tmp_path, {"long.csv": content}).report("long.csv")
    assert (report.status, report.rows, report.corrupt) == ("loaded", 1_101, 1)


def test_a_file_too_large_to_mend_lands_with_a_warning(spark, tmp_path, monkeypatch):
    monkeypatch.setattr(csv_format, "WHOLE_BYTES", 10)
    landed = Landed(spark, tmp_path, {"large.csv": b'id,name\n1,"Ann\n2,Bob\n'})
    assert landed.records("large.csv") == [("1", "Ann\n2,Bob\n", None)]
    assert "a quote may be unclosed" in landed.report("large.csv").message
