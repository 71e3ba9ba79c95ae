"""A standalone cluster by MEDALLION_SPARK: the tables of one process, also where executors are lost on the way."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from subprocess import PIPE, STDOUT

import pytest
from deltalake import DeltaTable

from medallion_assets.lakehouse.spark.java import java_home
from medallion_assets.local_servers.local_process import LocalProcess
from medallion_assets.local_servers.spark_cluster import SparkCluster, spark_cluster
from medallion_assets.orchestration.partitions import CALENDAR
from medallion_assets_tests.support.sample_lake import SampleLake, delete, order

ONE, TWO = "2017-01-01", "2017-01-02"
PROPERTIES = """\
# A small job: executors need not compile for the long run.
spark.executor.memory            1g
spark.executor.extraJavaOptions  -XX:TieredStopAtLevel=1 -XX:+UseSerialGC
"""
CLUSTER_RUN = """
import sys
from medallion_assets.commands import demo
from medallion_assets.lakehouse.monitoring.spark_probe import try_session
from medallion_assets.lakehouse.spark import session
from medallion_assets.lakehouse.spark.checkpoint import checkpointed
from medallion_assets.orchestration.resources import LakehouseResource

spark = session.start()
kept = checkpointed(spark.range(1000).repartition(2))
settings = ("spark.master", "spark.executor.memory", "spark.sql.shuffle.partitions")
print("kept", *[spark.conf.get(name) for name in settings], flush=True)
sys.stdin.readline()  # until an executor is lost
assert kept.count() == 1000
try_session(spark, LakehouseResource().lake_root)
sys.argv[1:] = ["--days", "2"]
sys.exit(demo.main())
"""


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[SparkCluster]:
    monkeypatch.setenv("JAVA_HOME", java_home())
    with spark_cluster(memory="1g") as running:
        yield running


def land(shop: SampleLake) -> None:
    segments = [
        {"customer_id": f"c{n}", "customer_segment": "GOLD", "updated_at": f"{ONE}T00:00:00Z"}
        for n in range(5)
    ]
    moved = [segments[1] | {"customer_segment": "IRON", "updated_at": f"{TWO}T00:00:00Z"}]
    product = {"product_id": "p1", "product_category": "FOOD", "updated_at": ONE}
    first = [order(f"o{n}", customer_id=f"c{n % 7}", day=ONE, at=f"{ONE}T10:00:00Z") for n in range(30)]
    changed = [one | {"order_amount": "7.25", "updated_at": f"{TWO}T10:00:00Z"} for one in first[:9]]
    shop.land("customers", ONE, "c.csv", segments)
    shop.land("customers", TWO, "c.csv", moved)
    shop.land("products", ONE, "p.csv", [product])
    shop.land("orders", ONE, "o.csv", first)
    news = [order("new", day=TWO, at=f"{TWO}T11:00:00Z"), order("bad", day=TWO, amount="much")]
    shop.land("orders", TWO, "o.csv", [*changed, delete("o9", f"{TWO}T12:00:00Z"), *news])


def executors(worker: LocalProcess) -> list[int]:
    """The processes that the worker has started: its executor, and what that may have started."""
    work = f"{worker.folder}/work/"
    return [int(one.name) for one in Path("/proc").glob("[0-9]*") if working_folder(one).startswith(work)]


def working_folder(process: Path) -> str:
    """Empty where the process has ended, or is somebody else's."""
    try:
        return os.readlink(process / "cwd")
    except OSError:
        return ""


def lose_the_executor(worker: LocalProcess) -> None:
    """Kills it; the worker starts another one."""
    for process in executors(worker):
        os.kill(process, signal.SIGKILL)


@contextmanager
def run_on(cluster: SparkCluster, shop: SampleLake, lake: Path) -> Iterator[subprocess.Popen[str]]:
    (shop.root / "spark.conf").write_text(PROPERTIES)
    environment = {name: value for name, value in os.environ.items() if name != "DAGSTER_HOME"} | {
        "MEDALLION_SPARK": cluster.url,
        "MEDALLION_SPARK_CONF": str(shop.root / "spark.conf"),
        "MEDALLION_LAKEHOUSE": str(lake),
        "MEDALLION_LANDING": str(shop.landing),
    }
    command = [sys.executable, "-u", "-c", CLUSTER_RUN]
    with subprocess.Popen(
        command, text=True, env=environment, cwd=shop.root, stdin=PIPE, stdout=PIPE, stderr=STDOUT
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def rows(table: Path) -> list[str]:
    """Without what tells when they were written."""
    found = DeltaTable(str(table)).to_pyarrow_table().to_pylist()
    return sorted(
        str({name: value for name, value in row.items() if not name.endswith("_timestamp")}) for row in found
    )


@pytest.mark.long
def test_a_cluster_that_loses_executors_gives_the_tables_of_one_process(
    shop: SampleLake, cluster: SparkCluster
):
    land(shop)
    shop.lake = replace(shop.lake, calendar=tuple(CALENDAR.get_partition_keys()))
    for key in shop.tables:
        shop.run(key, ONE)
    here, there = Path(shop.lake.root), shop.root / "lake-of-the-cluster"
    shutil.copytree(here, there)
    for key in shop.tables:
        shop.run(key, TWO)
    said: list[str] = []
    most = 0
    with run_on(cluster, shop, there) as process:
        assert process.stdin and process.stdout
        for line in process.stdout:
            said.append(line)
            most = max(most, *[len(executors(worker)) for worker in cluster.workers])
            if line.startswith("kept"):
                assert line.split() == ["kept", cluster.url, "1g", "2"]
                lose_the_executor(cluster.workers[0])
                process.stdin.write("\n")
                process.stdin.flush()
            if line.startswith("  silver.customers ") and line.endswith(" s\n"):
                lose_the_executor(cluster.workers[1])
        assert process.wait() == 0, "".join(said[-60:])
    assert most == 1  # no worker started a Python
    assert not list(there.glob("_probe*"))
    tables = [path.parent.relative_to(here) for path in here.glob("[!c]*/*/_delta_log")]
    assert len(tables) > 8
    assert {str(table): rows(there / table) for table in tables} == {
        str(table): rows(here / table) for table in tables
    }
