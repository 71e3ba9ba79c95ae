"""Every type that Arrow writes to Parquet, at the top and in lists, structs and maps, beside other files."""

import io
import json
from collections.abc import Iterable
from datetime import date, time
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from medallion_assets_tests.support.landing_files import Landed

LATE = 7_000_000_000_123_456_789  # nanoseconds, in 2191: a double has too few digits for them


def whole(number: int, kind: pa.DataType) -> pa.Array:
    return pa.array([number], pa.int64()).cast(kind)


VALUES = {
    "time_ms": (pa.array([time(1, 2, 3, 4000)], pa.time32("ms")), "01:02:03.004"),
    "time_us": (pa.array([time(1, 2, 3, 4)], pa.time64("us")), "01:02:03.000004"),
    "time_ns": (whole(5, pa.time64("ns")), "00:00:00.000000005"),
    "half": (pa.array([1.5], pa.float16()), 1.5),
    "float": (pa.array([16777216.0], pa.float32()), 16777216),
    "double": (pa.array([123456789.0]), 123456789),
    "fraction": (pa.array([1.25e-7]), 1.25e-7),
    "beyond_whole": (pa.array([1e22]), 1e22),
    "wide_decimal": (pa.array([Decimal("1" * 50)], pa.decimal256(60, 2)), "1" * 50 + ".00"),
    "decimal256": (pa.array([Decimal("1.5")], pa.decimal256(30, 2)), Decimal("1.50")),
    "decimal32": (pa.array([Decimal("1.1")], pa.decimal32(5, 1)), Decimal("1.1")),
    "uuid": (pa.array([b"\x00" * 14 + b"\xab\x07"], pa.uuid()), "00000000-0000-0000-0000-00000000ab07"),
    "json": (pa.array(['{"a":1}'], pa.json_()), '{"a":1}'),
    "text": (pa.array(["7"]), "7"),
    "large_text": (pa.array(["x"], pa.large_string()), "x"),
    "text_view": (pa.array(["x"], pa.string_view()), "x"),
    "dictionary": (pa.array(["x"]).dictionary_encode(), "x"),
    "bytes": (pa.array([b"Zo\xc3\xab"]), "Zoë"),
    "fixed_bytes": (pa.array([b"\xff\x00"], pa.binary(2)), "/wA="),
    "byte_view": (pa.array([b"ab"], pa.binary_view()), "ab"),
    "int8": (pa.array([-7], pa.int8()), -7),
    "uint8": (pa.array([255], pa.uint8()), 255),
    "uint32": (pa.array([2**32 - 1], pa.uint32()), 2**32 - 1),
    "uint64": (pa.array([2**64 - 1], pa.uint64()), 2**64 - 1),
    "flag": (pa.array([True]), True),
    "duration": (whole(5, pa.duration("us")), 5),
    "date": (pa.array([date(2026, 1, 5)]), "2026-01-05"),
    "date64": (pa.array([date(2026, 1, 5)], pa.date64()), "2026-01-05"),
    "seconds": (whole(5, pa.timestamp("s")), "1970-01-01 00:00:05"),
    "millis": (whole(5, pa.timestamp("ms", "UTC")), "1970-01-01 00:00:00.005"),
    "micros": (whole(-1, pa.timestamp("us")), "1969-12-31 23:59:59.999999"),
    "nanos": (whole(LATE, pa.timestamp("ns")), "2191-10-27 12:26:40.123456789"),
    "nanos_utc": (whole(-1, pa.timestamp("ns", "UTC")), "1969-12-31 23:59:59.999999999"),
}


def nested(array: pa.Array) -> dict[str, pa.Array]:
    """One row, the value at the top and within."""
    one, row = pa.array([0, 1], pa.int32()), pa.StructArray.from_arrays([array], ["f"])
    return {
        "top": array,
        "list": pa.ListArray.from_arrays(one, array),
        "fixed_list": pa.FixedSizeListArray.from_arrays(array, 1),
        "struct": row,
        "map": pa.MapArray.from_arrays(one, pa.array(["k"]), array),
        "key": pa.MapArray.from_arrays(one, array, pa.array(["v"])),
        "struct_key": pa.MapArray.from_arrays(one, row, pa.array(["v"])),
        "deep": pa.ListArray.from_arrays(one, pa.StructArray.from_arrays([row], ["s"])),
    }


def parquet(columns: dict[str, pa.Array], **options: Any) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink, **options)
    return sink.getvalue()


LACKING_IN_SPARK = {"time_ms", "time_us", "time_ns", "half", "wide_decimal", "uuid"}


def columns(names: Iterable[str]) -> dict[str, pa.Array]:
    return {f"{name}_{how}": array for name in names for how, array in nested(VALUES[name][0]).items()}


@pytest.fixture(scope="module")
def landed(spark, tmp_path_factory):
    files = {
        "spark.parquet": parquet(columns(VALUES.keys() - LACKING_IN_SPARK)),
        "arrow.parquet": parquet(columns(VALUES)),
        "int96.parquet": parquet({"at": VALUES["nanos"][0]}, use_deprecated_int96_timestamps=True),
        "nanos.parquet": parquet({"at": VALUES["nanos"][0]}),
        "nulls.parquet": parquet({name: pa.nulls(1, of.type) for name, of in columns(VALUES).items()}),
        "good.csv": b"id\n1\n",
    }
    return Landed(spark, tmp_path_factory.mktemp("types"), files)


@pytest.mark.parametrize("file", ["spark", "arrow"])
@pytest.mark.parametrize("name", VALUES)
def test_every_type_lands_without_loss(landed: Landed, name: str, file: str):
    if file == "spark" and name in LACKING_IN_SPARK:
        return
    (whole_row,) = landed.rows(f"{file}.parquet")
    row = {how: whole_row[f"{name}_{how}"] for how in nested(VALUES[name][0])}
    value = VALUES[name][1]
    text = str(value).lower() if isinstance(value, bool) else str(value)
    top = row["top"]
    assert (float(top) == value and "." in top) if isinstance(value, float) else top == text
    within = json.loads if isinstance(value, float) else lambda found: json.loads(found, parse_float=Decimal)
    assert within(row["list"]) == within(row["fixed_list"]) == [value]
    assert within(row["struct"]) == {"f": value}
    assert within(row["map"]) == {"k": value}
    assert within(row["deep"]) == [{"s": {"f": value}}]
    assert json.loads(row["key"]) == {top: "v"}
    ((key, of),) = json.loads(row["struct_key"]).items()
    assert (within(key), of) == ({"f": value}, "v")
    assert "E" not in row["list"] or name in ("fraction", "beyond_whole")


def test_files_that_are_equal_to_arrow_and_not_to_spark_land_together(landed: Landed):
    assert landed.rows("int96.parquet") == [{"at": "2191-10-27 12:26:40.123456"}]
    assert landed.rows("nanos.parquet") == [{"at": VALUES["nanos"][1]}]


def test_nulls_of_every_type_are_null(landed: Landed):
    assert landed.rows("nulls.parquet") == [{}]
    assert landed.rows("good.csv") == [{"id": "1"}]
