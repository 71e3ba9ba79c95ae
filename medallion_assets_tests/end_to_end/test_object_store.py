"""Lake and landing area on a store that speaks as S3 does: what they are in folders."""

import gzip
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable
from pyarrow.fs import S3FileSystem

from medallion_assets.commands.new_table import sample
from medallion_assets.lakehouse.landing.area import LandingError
from medallion_assets.lakehouse.landing.listing import (
    area_of,
    foreign_entries,
    has_changed,
    list_days,
    list_files,
)
from medallion_assets.lakehouse.storage import stores
from medallion_assets.local_servers.object_store import BUCKET, Store
from medallion_assets.orchestration.partitions import CALENDAR
from medallion_assets_tests.support.sample_lake import SampleLake
from medallion_assets_tests.support.two_days import ONE, TWO, land, rows

LAKE, LANDING = f"s3://{BUCKET}/lake", f"s3://{BUCKET}/the landing"
TWO_RUNS_AND_DOCTOR = """
import sys
from medallion_assets.commands import demo, doctor
from medallion_assets.lakehouse.landing.listing import list_files
from medallion_assets.lakehouse.landing.reader import read_files
from medallion_assets.orchestration.resources import LakehouseResource, SparkResource

for days in "12":
    sys.argv[1:] = ["--days", days]
    assert demo.main() == 0
doctor.main()

def read(landing):
    files = list_files(landing, "odd", ["2017-01-01"])
    frame, reports = read_files(spark, landing, files)
    told = [(one.file.path, one.status, one.rows, one.message, one.note) for one in reports]
    return sorted(map(str, frame.drop("_source_modified_at").collect())), told

place = LakehouseResource()
spark = SparkResource().session(place.places)
there, here = read(place.landing_root), read("landing")
assert there == here and len(here[0]) == 9, (there, here)
"""
ODD = {
    "a b+c%20#é.csv": b"id,name\n1,Ann\n",
    "x[1]{a,b}?.csv": b"id,name\n2,Bob\n",
    "packed.csv.gz": gzip.compress(b"id,name\n3,Cid\n"),
    "lines.jsonl": b'{"id":4,"name":"Dan"}\n{"id":5\n',
    "document.json.gz": gzip.compress(b'[{"id":6,"name":"Eve"}]'),
    "latin.csv": "id,name\n7,J\xf6rg\n".encode("latin-1"),
    "sub/key=8/plain.csv": b"name\nFay\n",
    "empty.csv": b"",
    "torn.parquet": b"PAR1",
    "note.txt": b"?",
    "_hidden.csv": b"id\n9\n",
    "part.csv.part": b"id\n9\n",
}


def uuids() -> bytes:
    """Parquet with a type that Spark lacks."""
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table({"id": pa.array([b"0123456789abcdef"], pa.uuid())}), sink)
    return sink.getvalue().to_pybytes()


def copy_landing(shop: SampleLake) -> None:
    """To the store, beside what lies in folders."""
    for path in shop.landing.rglob("*"):
        if path.is_file():
            area_of(LANDING).write(str(path.relative_to(shop.landing)), path.read_bytes())


def commands(script: str, shop: SampleLake, **places: str) -> str:
    """What a process says that has the store's variables."""
    environment = {name: value for name, value in os.environ.items() if name != "DAGSTER_HOME"} | places
    done = subprocess.run(
        [sys.executable, "-u", "-c", script], text=True, env=environment, cwd=shop.root, capture_output=True
    )
    assert done.returncode == 0, f"{done.stdout[-3000:]}{done.stderr[-6000:]}"
    return done.stdout


@pytest.mark.long
def test_a_lake_on_a_store_has_the_tables_of_a_lake_in_a_folder(shop: SampleLake, store: Store):
    land(shop)
    shop.lake = replace(shop.lake, calendar=tuple(CALENDAR.get_partition_keys()))
    for day in (ONE, TWO):
        for key in shop.tables:
            shop.run(key, day)
    for name, content in {**ODD, "uuid.parquet": uuids()}.items():
        shop.land("odd", ONE, name, content)
    copy_landing(shop)
    said = commands(TWO_RUNS_AND_DOCTOR, shop, MEDALLION_LAKEHOUSE=LAKE, MEDALLION_LANDING=LANDING)
    assert "wrote, read and deleted a table" in said and "days, all ingested" in said, said
    assert "FAIL" not in said, said
    here = Path(shop.lake.root)
    tables = [str(path.parent.relative_to(here)) for path in here.glob("[!c]*/*/_delta_log")]
    assert len(tables) > 8
    without = {"_source_modified_at"}
    assert {table: rows(f"{LAKE}/{table}", without) for table in tables} == {
        table: rows(str(here / table), without) for table in tables
    }
    landed = {file.path: file.modified_at for file in list_files(LANDING, "orders", [ONE, TWO])}
    bronze = DeltaTable(f"{LAKE}/bronze/orders").to_pyarrow_table(
        columns=["_source_file", "_source_modified_at"]
    )
    assert {row["_source_file"]: row["_source_modified_at"] for row in bronze.to_pylist()} == landed


@pytest.mark.long
def test_a_landing_area_on_a_store_lists_what_one_in_a_folder_does(tmp_path: Path, store: Store):
    here, there = str(tmp_path), f"s3://{BUCKET}/listed/"
    names = [*ODD, "_temporary/a.csv", "sub/.a.csv.crc"]
    files = {f"odd/date={ONE}/{name}": ODD.get(name, b"x") for name in names}
    files |= {"odd/loose.csv": b"x", "odd/2017-01-03/a.csv": b"x", "odd/date=2017-1-3/a.csv": b"x"}
    files |= {f"odd/date=2017-03-{day}/a.csv": b"id\n1\n" for day in range(10, 25)}
    for path, content in files.items():
        assert area_of(here).write(path, content) and area_of(there).write(path, content)
        assert not area_of(there).write(path, content)
    as_consoles = S3FileSystem(endpoint_override=store.endpoint, scheme="http")
    as_consoles.create_dir(f"{BUCKET}/listed/odd/date=2017-03-10")  # an object whose name ends with a slash
    assert "listed/odd/date=2017-03-10" in [one.path for one in stores.list_below(f"{there}odd")]
    days = list_days(there, "odd")
    assert days == list_days(here, "odd") and len(days) == 16
    assert foreign_entries(there, "odd") == foreign_entries(here, "odd")
    for asked in (days, [ONE, "2017-01-02"], []):
        found = list_files(there, "odd", asked)
        assert [(f.day, f.path, f.size, f.fault) for f in found] == [
            (f.day, f.path, f.size, f.fault) for f in list_files(here, "odd", asked)
        ]
    for file in list_files(there, "odd", [ONE])[:5]:
        assert not has_changed(there, file)
        area_of(there).write(file.path, files[file.path][::-1] or b"x")
        assert has_changed(there, file)
    with pytest.raises(
        LandingError, match=r"Nothing lies at .*: land a file there, or correct MEDALLION_LANDING"
    ):
        list_days(there, "oder")
    assert sample(there, "odd") == sample(here, "odd") == [{"id": "1"}]
