"""A lake on a store that speaks as S3 does: the tables of a lake in a folder."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from medallion_assets.lakehouse.spark.java import java_home
from medallion_assets.local_servers.object_store import BUCKET, Store, object_store
from medallion_assets.orchestration.partitions import CALENDAR
from medallion_assets_tests.support.sample_lake import SampleLake
from medallion_assets_tests.support.two_days import ONE, TWO, land, rows

LAKE = f"s3://{BUCKET}/lake"
TWO_RUNS_AND_DOCTOR = """
import sys
from medallion_assets.commands import demo, doctor

for days in "12":
    sys.argv[1:] = ["--days", days]
    assert demo.main() == 0
doctor.main()
"""


@pytest.fixture(scope="module")
def store() -> Iterator[Store]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JAVA_HOME", java_home())
        with object_store() as running:
            for name, value in running.environment.items():
                patch.setenv(name, value)
            yield running


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
    said = commands(TWO_RUNS_AND_DOCTOR, shop, MEDALLION_LAKEHOUSE=LAKE, MEDALLION_LANDING=str(shop.landing))
    assert "wrote, read and deleted a table" in said and "FAIL" not in said, said
    here = Path(shop.lake.root)
    tables = [str(path.parent.relative_to(here)) for path in here.glob("[!c]*/*/_delta_log")]
    assert len(tables) > 8
    assert {table: rows(f"{LAKE}/{table}") for table in tables} == {
        table: rows(str(here / table)) for table in tables
    }
