"""JSON lines and documents: bytes in, rows out. All files are read together, as a day's are."""

import pytest

from medallion_assets_tests.support.landing_files import Landed

LONG = "123456789012345678901234567890123456789"
FILES = {
    "scalars.jsonl": b'{"id":1.10,"big":%s,"e":-1E400,"on":true,"no":null,"text":"5 \\"x\\"\\n"}\n'
    % LONG.encode(),
    "nested.jsonl": b'{"id":"1","tags":[1.0, {"a": 2.50}],"at":{"lat":-0.10,"name":":5"}}\n',
    "nan.jsonl": b'{"id":NaN,"low":-Infinity}\n',
    "lines.json": b'\xef\xbb\xbf{"id":1}\r\n\r\n{"id":2}\r\n',
    "array.json": b'\n [{"id":1},\n {"id":2.0}]\n',
    "array-of-one-line.json": b'[{"id":1},{"id":2}]',
    "pretty.json": b'{\n  "id": 1,\n  "items": [\n    1.0\n  ]\n}\n',
    "no-records.json": b"[]",
    "zero.jsonl": b"",
    "broken-array.json": b'[{"id":1},\n{"id":',
    "broken.jsonl": b'{"id":1\n{"id":2} {"id":3}\n[1]\n5\nnull\n{"id":007}\n{\'id\':8}\n{"id":9}\n',
    "broken-first-line.json": b'{"id":1\n{"id":2}\n',
    "duplicate-keys.jsonl": b'{"id":1,"id":2}\n{"a b":1,"a;b":2}\n{"a b":3}\n{"a;b":4}\n',
    "names.jsonl": b'{"":1,"_source_file":"x","a.b":2,"it\'s":3}\n',
    "latin1.jsonl": '{"id":"Zoë"}\n'.encode("latin-1") + '{"id":"Zoë"}\n'.encode(),
    "utf16.jsonl": '{"id":"Zoë"}\n{"id":2}\n'.encode("utf-16"),
    "utf16.json": '[{"id":"Zoë"},\n{"id":2}]\n'.encode("utf-16"),
}


@pytest.fixture(scope="module")
def landed(spark, tmp_path_factory):
    return Landed(spark, tmp_path_factory.mktemp("json"), FILES)


def test_scalars_are_kept_as_written(landed):
    assert landed.rows("scalars.jsonl") == [
        {"id": "1.10", "big": LONG, "e": "-1E400", "on": "true", "text": '5 "x"\n'}
    ]
    assert landed.rows("nan.jsonl") == [{"id": "NaN", "low": "-Infinity"}]


def test_nested_values_are_json_text_with_their_digits(landed):
    assert landed.rows("nested.jsonl") == [
        {"id": "1", "tags": '[1.0,{"a":2.50}]', "at": '{"lat":-0.10,"name":":5"}'}
    ]


def test_a_json_file_holds_lines_or_an_array_or_one_object(landed):
    assert landed.rows("lines.json") == [{"id": "1"}, {"id": "2"}]
    assert landed.rows("array.json") == [{"id": "1"}, {"id": "2.0"}]
    assert landed.rows("array-of-one-line.json") == [{"id": "1"}, {"id": "2"}]
    assert landed.rows("pretty.json") == [{"id": "1", "items": "[1.0]"}]


@pytest.mark.parametrize("name", ["no-records.json", "zero.jsonl"])
def test_a_file_without_records_is_empty(landed, name):
    assert landed.report(name).status == "empty"


def test_a_record_that_is_no_json_object_is_kept_as_it_is(landed):
    assert landed.records("broken.jsonl") == [
        (None, '{"id":1'),
        (None, '{"id":2} {"id":3}'),
        (None, "[1]"),
        (None, "5"),
        (None, "null"),
        (None, '{"id":007}'),
        (None, "{'id':8}"),
        ("9", None),
    ]
    assert landed.report("broken.jsonl").corrupt == 7
    assert landed.records("broken-array.json") == [('[{"id":1},\n{"id":',)]
    assert landed.records("broken-first-line.json") == [(None, '{"id":1'), ("2", None)]


def test_a_record_with_two_values_for_one_column_is_corrupt(landed):
    assert [record[-1] for record in landed.records("duplicate-keys.jsonl")] == [
        '{"id":1,"id":2}',
        '{"a b":1,"a;b":2}',
        None,
        None,
    ]
    assert landed.rows("duplicate-keys.jsonl")[2:] == [{"a_b": "3"}, {"a_b": "4"}]


def test_names_are_made_fit_for_delta_and_never_ours(landed):
    (row,) = landed.rows("names.jsonl")
    assert sorted(row.values()) == ["1", "2", "3", "x"]
    assert {"landed_source_file", "a.b", "it's"} < set(row)


def test_latin1_bytes_are_kept_and_flagged(landed):
    assert landed.records("latin1.jsonl") == [("Zoë", '{"id":"Zoë"}'), ("Zoë", None)]
    assert "1 records are not valid UTF-8" in landed.report("latin1.jsonl").message


def test_utf16_is_read_by_its_bom(landed):
    assert landed.rows("utf16.jsonl") == [{"id": "Zoë"}, {"id": "2"}]
    assert landed.rows("utf16.json") == [{"id": "Zoë"}, {"id": "2"}]
