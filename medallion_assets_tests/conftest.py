"""What the tests share: their markers, how workers divide them, a Spark session a worker, a lake of its own a test.

Spark and Dagster are imported by the first test that needs them, so that the unit tests start in a moment.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from medallion_assets.local_servers.object_store import Store
    from medallion_assets_tests.support.dagster_runner import DagsterRunner
    from medallion_assets_tests.support.kafka_broker import Broker
    from medallion_assets_tests.support.postgres_server import Database
    from medallion_assets_tests.support.sample_lake import SampleLake

HERE = Path(__file__).parent
MARKERS = {"unit": pytest.mark.unit, "end_to_end": pytest.mark.e2e}
# Long modules first, so that no worker is left alone with one in the end. Other folders follow as they are collected.
FIRST = ("end_to_end", "properties", "silver", "orchestration", "maintenance", "bronze", "gold")

# Processes that tests start have it, too. (SPARK_CONF_DIR would put its folder on the class path, and a class archive
# has none.)
DEFAULTS = HERE / "support" / "spark-defaults.conf"
os.environ["PYSPARK_SUBMIT_ARGS"] = f"--properties-file {DEFAULTS} pyspark-shell"


@pytest.hookimpl(tryfirst=True)  # before markers deselect
def pytest_collection_modifyitems(items: list[pytest.Function]) -> None:
    for item in items:
        if mark := MARKERS.get(_folder(item)):
            item.add_marker(mark)
        if "spark" in item.fixturenames:
            item.add_marker(pytest.mark.spark)
    items.sort(key=lambda item: FIRST.index(_folder(item)) if _folder(item) in FIRST else len(FIRST))


def _folder(item: pytest.Item) -> str:
    return item.path.relative_to(HERE).parts[0]


@pytest.fixture(scope="session")
def spark() -> Iterator["SparkSession"]:
    """As on a machine of one core, of which Spark makes one partition where it would make more."""
    from medallion_assets.lakehouse.spark import session

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "cpu_count", lambda: 1)  # also for Dagster's resource, which sets it again
        running = session.start({"spark.driver.memory": "3g"})
        yield running
        running.stop()


@pytest.fixture
def shop(spark: "SparkSession", tmp_path: Path) -> "SampleLake":
    from medallion_assets_tests.support.sample_lake import SampleLake

    return SampleLake(spark, tmp_path)


@pytest.fixture
def desk(shop: "SampleLake", monkeypatch: pytest.MonkeyPatch) -> Iterator["DagsterRunner"]:
    import dagster as dg

    from medallion_assets_tests.support.dagster_runner import DagsterRunner

    monkeypatch.setenv("MEDALLION_LAKEHOUSE", shop.lake.root)
    monkeypatch.setenv("MEDALLION_LANDING", str(shop.landing))
    with dg.DagsterInstance.ephemeral() as instance:
        yield DagsterRunner(shop, instance)


@pytest.fixture(scope="session")
def broker() -> Iterator["Broker"]:
    from medallion_assets_tests.support.kafka_broker import kafka_broker

    with kafka_broker() as running:
        yield running


@pytest.fixture(scope="session")
def database() -> Iterator["Database"]:
    from medallion_assets_tests.support.postgres_server import postgres_server

    with postgres_server() as running:
        yield running


@pytest.fixture(scope="module")
def store() -> Iterator["Store"]:
    """The variables name it, also for processes that a test starts."""
    from medallion_assets.lakehouse.spark.java import java_home
    from medallion_assets.local_servers.object_store import object_store

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JAVA_HOME", java_home())
        with object_store() as running:
            for name, value in running.environment.items():
                patch.setenv(name, value)
            yield running
