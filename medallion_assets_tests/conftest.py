"""One Spark session for the whole suite, and a workshop (a landing area with a lake of its own) for each test."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from pyspark.sql import SparkSession

from medallion_assets.lakehouse import session
from medallion_assets_tests.desk import Desk
from medallion_assets_tests.workshop import Workshop

# On a handful of rows most of the time goes into compiling generated code; interpreted, the suite takes half as long.
INTERPRETED = {"spark.sql.codegen.wholeStage": "false", "spark.sql.codegen.factoryMode": "NO_CODEGEN"}


@pytest.fixture(scope="session")
def spark() -> Iterator[SparkSession]:
    running = session.start({"spark.driver.memory": "3g", **INTERPRETED})
    yield running
    running.stop()


@pytest.fixture
def shop(spark: SparkSession, tmp_path: Path) -> Workshop:
    return Workshop(spark, tmp_path)


@pytest.fixture
def desk(shop: Workshop, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.setenv("MEDALLION_LAKEHOUSE", shop.lake.root)
    monkeypatch.setenv("MEDALLION_LANDING", str(shop.landing))
    with dg.DagsterInstance.ephemeral() as instance:
        yield Desk(shop, instance)
