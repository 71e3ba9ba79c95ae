"""Parquet: typed columns in, their exact text out."""

import io
from datetime import date, datetime, timezone
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from medallion_assets_tests.support.landing_files import Landed

NOON = datetime(2026, 1, 5, 12, 30, 0, 120_000, tzinfo=timezone.utc)
NANOS = 1_767_616_200_123_456_789  # 2026-01-05 12:30:00.123456789
TYPED = {
    "text": (pa.array(["007", None]).dictionary_encode(), ["007", None]),
    "whole": (pa.array([-5, None], pa.int32()), ["-5", None]),
    "unsigned": (pa.array([2**64 - 1, 0], pa.uint64()), ["18446744073709551615", "0"]),
    "double": (pa.array([0.1, float("nan")]), ["0.1", "NaN"]),
    "money": (
        pa.array([Decimal("0.0000001"), Decimal("-12.5000000")], pa.decimal128(38, 7)),
        ["0.0000001", "-12.5000000"],
    ),
    "flag": (pa.array([True, False]), ["true", "false"]),
    "date": (pa.array([date(2026, 1, 5), date(1, 1, 1)]), ["2026-01-05", "0001-01-01"]),
    "micros": (pa.array([NOON, None], pa.timestamp("us", "UTC")), ["2026-01-05 12:30:00.12", None]),
    "naive": (
        pa.array([NOON.replace(tzinfo=None), None], pa.timestamp("us")),
        ["2026-01-05 12:30:00.12", None],
    ),
    "nanos": (
        pa.array([NANOS, -1], pa.timestamp("ns")),
        ["2026-01-05 12:30:00.123456789", "1969-12-31 23:59:59.999999999"],
    ),
    "nanos_utc": (
        pa.array([NANOS, None], pa.timestamp("ns", "UTC")),
        ["2026-01-05 12:30:00.123456789", None],
    ),
    "number": (pa.array([NANOS, None], pa.int64()), [str(NANOS), None]),
    "bytes": (pa.array([b"Zo\xc3\xab", b"\xff\x00"]), ["Zoë", "/wA="]),
    "struct": (pa.array([{"a": Decimal("1.10"), "b": None}, None]), ['{"a":1.10,"b":null}', None]),
    "list": (pa.array([["x", None], []]), ['["x",null]', "[]"]),
    "map": (pa.array([[("k", 1)], None], pa.map_(pa.string(), pa.int64())), ['{"k":1}', None]),
    "structs": (
        pa.array([[({"a": 1}, 2)], None], pa.map_(pa.struct([("a", pa.int64())]), pa.int64())),
        ['{"{\\"a\\":1}":2}', None],
    ),
    "void": (pa.nulls(2), [None, None]),
    "_metadata": (pa.array(["m", None]), ["m", None]),
    "a.b c": (pa.array(["dot", None]), ["dot", None]),
}


def parquet(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink)
    return sink.getvalue()


@pytest.fixture(scope="module")
def landed(spark, tmp_path_factory):
    typed = parquet(pa.table({name: values for name, (values, _) in TYPED.items()}))
    files = {
        "typed.parquet": typed,
        "other.parquet": parquet(pa.table({"whole": [Decimal("2.50")], "date": ["yesterday"]})),
        "no-rows.parquet": parquet(pa.table({"whole": pa.array([], pa.int32())})),
        "duplicated.parquet": parquet(pa.table({"id": [1], "ID": [2]})),
        "truncated.parquet": typed[:-20],
        "rotten.parquet": typed[:4] + bytes(1500) + typed[1504:],
        "text.parquet": b"id,name\n1,Ann\n",
    }
    return Landed(spark, tmp_path_factory.mktemp("parquet"), files)


@pytest.mark.parametrize("name", TYPED)
def test_a_typed_column_becomes_its_exact_text(landed, name):
    position = list(TYPED).index(name)
    assert [record[position] for record in landed.records("typed.parquet")] == TYPED[name][1]


def test_names_are_made_fit_for_delta_and_never_ours(landed):
    assert landed.report("typed.parquet").columns[-2:] == ("landed_metadata", "a.b_c")


def test_a_landed_date_column_is_not_taken_for_the_folders_date(landed):
    assert landed.rows("other.parquet") == [{"whole": "2.50", "date": "yesterday"}]


def test_a_file_without_rows_is_empty(landed):
    assert landed.report("no-rows.parquet").status == "empty"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("duplicated.parquet", "the column 'ID' occurs twice"),
        ("truncated.parquet", "it is no complete Parquet file"),
        ("text.parquet", "it is no complete Parquet file"),
        ("rotten.parquet", "Spark cannot read it"),
    ],
)
def test_an_unreadable_file_says_why_and_the_others_still_land(landed, name, reason):
    report = landed.report(name)
    assert report.status == "unreadable"
    assert name in report.message
    assert reason in report.message
