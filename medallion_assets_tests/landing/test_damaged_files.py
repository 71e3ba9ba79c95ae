"""Files of every format, cut or with flipped bits at random, beside good ones: no file takes another one down."""

import gzip
import io
import json
import random
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from medallion_assets_tests.support.landing_files import Landed

ROWS = [
    {"id": str(number), "name": f"name {number % 7}", "note": "x" * (number % 50)} for number in range(400)
]


def parquet(codec: str) -> bytes:
    sink = io.BytesIO()
    table = pa.Table.from_pylist(ROWS)
    pq.write_table(table, sink, compression=codec)
    return sink.getvalue()


CSV = "\n".join(["id,name,note", *[",".join(row.values()) for row in ROWS]]).encode() + b"\n"
LINES = "\n".join(map(json.dumps, ROWS)).encode() + b"\n"
GOOD = {
    "csv": CSV,
    "csv.gz": gzip.compress(CSV),
    "jsonl": LINES,
    "ndjson": LINES,
    "jsonl.gz": gzip.compress(LINES),
    "json": json.dumps(ROWS).encode(),
    "json.gz": gzip.compress(json.dumps(ROWS).encode()),
    "snappy.parquet": parquet("snappy"),
    "plain.parquet": parquet("none"),
    "gzip.parquet": parquet("gzip"),
}


def cut(content: bytes, chance: random.Random) -> bytes:
    return content[: chance.randrange(len(content))]


def flipped(content: bytes, chance: random.Random) -> bytes:
    damaged = bytearray(content)
    for _ in range(chance.randint(1, 8)):
        damaged[chance.randrange(len(damaged))] ^= 1 << chance.randrange(8)
    return bytes(damaged)


@pytest.mark.parametrize(("seed", "rounds"), [(1, 1), pytest.param(2, 2, marks=pytest.mark.long)])
def test_damaged_files_leave_the_good_ones_whole(spark, tmp_path: Path, seed: int, rounds: int):
    chance = random.Random(seed)
    damaged = {
        f"bad-{number}-{damage.__name__}.{ending}": damage(content, chance)
        for number in range(rounds)
        for ending, content in GOOD.items()
        for damage in (cut, flipped)
    }
    landed = Landed(
        spark, tmp_path, damaged | {f"good.{ending}": content for ending, content in GOOD.items()}
    )
    assert landed.reports.keys() == {*damaged, *(f"good.{ending}" for ending in GOOD)}
    for ending in GOOD:
        assert landed.report(f"good.{ending}").message == ""
        found = {row["id"]: row for row in landed.rows(f"good.{ending}")}
        assert [found[row["id"]].get("name") for row in ROWS] == [row["name"] for row in ROWS]
        assert [found[row["id"]].get("note") or "" for row in ROWS] == [row["note"] for row in ROWS]
    assert all(report.message for report in landed.reports.values() if report.status == "unreadable")
    assert {"loaded", "unreadable"} <= {report.status for report in landed.reports.values()}
