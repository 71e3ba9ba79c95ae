"""One Spark session for the whole suite, and a workshop (a landing area with a lake of its own) for each test."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from pyspark.sql import SparkSession

from medallion_assets.lakehouse.spark import session
from medallion_assets_tests.support.dagster_runner import DagsterRunner
from medallion_assets_tests.support.sample_lake import SampleLake

# On a handful of rows most of the time goes into compiling generated code; interpreted, the suite takes half as long.
INTERPRETED = {"spark.sql.codegen.wholeStage": "false", "spark.sql.codegen.factoryMode": "NO_CODEGEN"}


@pytest.fixture(scope="session")
def spark() -> Iterator[SparkSession]:
    running = session.start({"spark.driver.memory": "3g", **INTERPRETED})
    yield running
    running.stop()


@pytest.fixture
def shop(spark: SparkSession, tmp_path: Path) -> SampleLake:
    return SampleLake(spark, tmp_path)


@pytest.fixture
def desk(shop: SampleLake, monkeypatch: pytest.MonkeyPatch) -> Iterator[DagsterRunner]:
    monkeypatch.setenv("MEDALLION_LAKEHOUSE", shop.lake.root)
    monkeypatch.setenv("MEDALLION_LANDING", str(shop.landing))
    with dg.DagsterInstance.ephemeral() as instance:
        yield DagsterRunner(shop, instance)
