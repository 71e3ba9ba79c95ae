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
    "two-arrays.json": b'[\n{"id":17}\n]\n[\n{"id":18}\n]\n',
    "array-then-garbage.json": b'[\n{"id":1}\n] and more\n',
    "array-then-bracket.json": b'[\n{"id":1}\n]],[[\n',
    "arrays-with-commas.json": b'[\n{"id":1}],\n[{"id":2},{"id":3}]\n',
    "two-objects.json": b'{\n"id":1\n}\n{\n"id":2\n}\n',
    "object-then-garbage.json": b'{\n"id":1\n}\n}',
    "line-then-more.jsonl": b'{"id":1}] x\n{"id":2}]]],[[[{"id":3}\n{"id":4}],[{"id":5}\n{"id":6},{"id":7}\n',
    "line-separator.json": '{"id":"a\u2028b"}\n{"id":"c\x85d"}\n'.encode(),
    "surrogates.jsonl": b'{"id":"x\\ud83dy"}\n{"id":"\\ud83d\\ude00 \\\\ud83d"}\n{"\\uDE00":1,"\\uDE01":2}\n'
    b'{"id":"\\ud83d\\ud83d\\ude00"}',
    "surrogates.json": b'[{"id":"\\ud83d"},\n{"id":"\\u0041"}]',
    "turkish.jsonl": '{"id":1,"\u0130ndirim":8}\n{"id":2,"indirim":9}\n{"id":3,"\u0131nd\u0131r\u0131m":7}\n'
    '{"id":4,"INDIRIM":1,"\u0130ndirim":2}\n{"\u0130d":5}\n'.encode(),
    "blank-keys.jsonl": b'{" ":1}\n{"":1,"  ":2}\n',
    "utf16-cr.jsonl": '{"id":1}\r{"id":2}\r\n'.encode("utf-16"),
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


def test_what_follows_the_first_records_of_a_text_lands_or_is_corrupt(landed):
    for name in ("two-arrays.json", "array-then-garbage.json", "array-then-bracket.json", "two-objects.json"):
        (record,) = landed.records(name)
        assert record == (FILES[name].decode(),)
        assert "1 records are broken" in landed.report(name).message
    assert landed.records("object-then-garbage.json") == [('{\n"id":1\n}\n}',)]
    assert landed.rows("arrays-with-commas.json") == [{"id": "1"}, {"id": "2"}, {"id": "3"}]
    assert landed.records("line-then-more.jsonl") == [
        (None, '{"id":1}] x'),
        (None, '{"id":2}]]],[[[{"id":3}'),
        ("4", None),
        ("5", None),
        ("6", None),
        ("7", None),
    ]


def test_only_cr_and_lf_end_a_line(landed):
    assert landed.rows("line-separator.json") == [{"id": "a\u2028b"}, {"id": "c\x85d"}]
    assert landed.rows("utf16-cr.jsonl") == [{"id": "1"}, {"id": "2"}]


def test_the_escape_of_half_a_character_is_kept_as_text_and_flagged(landed):
    texts = FILES["surrogates.jsonl"].decode().splitlines()
    assert landed.rows("surrogates.jsonl") == [
        {"id": r"x\ud83dy"},
        {"id": "\U0001f600 \\ud83d"},
        {r"\uDE00": "1", r"\uDE01": "2"},
        {"id": "\\ud83d\U0001f600"},
    ]
    corrupt = [record[-1] for record in landed.records("surrogates.jsonl")]
    assert corrupt == [texts[0], None, texts[2], texts[3]]
    assert landed.records("surrogates.json") == [(r"\ud83d", r'{"id":"\\ud83d"}'), ("A", None)]


def test_keys_that_spark_takes_for_one_column_are_one(landed):
    assert landed.rows("turkish.jsonl")[:3] == [
        {"id": "1", "INDIRIM": "8"},
        {"id": "2", "INDIRIM": "9"},
        {"id": "3", "INDIRIM": "7"},
    ]
    assert [record[-1] for record in landed.records("turkish.jsonl")] == [
        None,
        None,
        None,
        '{"id":4,"INDIRIM":1,"\u0130ndirim":2}',
        None,
    ]
    assert landed.rows("turkish.jsonl")[4] == {"id": "5"}


def test_a_blank_key_has_a_name_that_depends_on_no_other(landed):
    assert landed.rows("blank-keys.jsonl")[0] == {"column_0": "1"}
    assert [record[-1] for record in landed.records("blank-keys.jsonl")] == [None, '{"":1,"  ":2}']
