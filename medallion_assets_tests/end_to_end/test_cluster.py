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

from medallion_assets.lakehouse.spark.java import java_home
from medallion_assets.local_servers.local_process import LocalProcess
from medallion_assets.local_servers.spark_cluster import SparkCluster, spark_cluster
from medallion_assets.orchestration.partitions import CALENDAR
from medallion_assets_tests.support.sample_lake import SampleLake
from medallion_assets_tests.support.two_days import ONE, TWO, land, rows

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
    assert {str(table): rows(str(there / table)) for table in tables} == {
        str(table): rows(str(here / table)) for table in tables
    }
