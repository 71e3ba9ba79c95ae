"""Where settings enter, once: the Spark session, and where the landing area and the lake are."""

import os
from collections.abc import Collection
from typing import Any

import dagster as dg
from dagster_deltalake import DeltaTableResource, LocalConfig
from dagster_pyspark import LazyPySparkResource
from deltalake import DeltaTable
from pydantic import Field
from pyspark.sql import SparkSession

from medallion_assets.contracts.table import Table
from medallion_assets.lakehouse.monitoring import preflight
from medallion_assets.lakehouse.spark import session
from medallion_assets.lakehouse.spark.given_settings import given_settings
from medallion_assets.lakehouse.spark.java import java_home
from medallion_assets.lakehouse.spark.master import Master
from medallion_assets.lakehouse.storage.lake import Lake, table_path
from medallion_assets.orchestration.partitions import CALENDAR
from medallion_assets.orchestration.settings import as_path


class SparkResource(dg.ConfigurableResource[None]):
    """A session with Delta, started at first use and shared by all steps of the run.

    config: Spark settings over MEDALLION_SPARK, MEDALLION_SPARK_CONF and the defaults of `lakehouse/spark/session.py`,
    such as spark.master or spark.remote.
    """

    config: dict[str, Any] = Field(default_factory=dict)

    @property
    def master(self) -> Master:
        """Where Spark runs."""
        return Master(given_settings(self.config))

    def session(self, places: Collection[str]) -> SparkSession:
        """Started at first use, then the same one; places: of the lake and the landing area."""
        if not self.master.is_connect:
            os.environ["JAVA_HOME"] = java_home()
        config = session.spark_config(self.config, places)
        spark = LazyPySparkResource(spark_config=config).spark_session
        session.fit(spark, config)
        return spark


class LakehouseResource(dg.ConfigurableResource[None]):
    """Folders or object-store URLs; empty means MEDALLION_LAKEHOUSE and MEDALLION_LANDING, or below `data/`."""

    root: str = ""
    landing: str = ""

    @property
    def lake_root(self) -> str:
        return _place(self.root, "MEDALLION_LAKEHOUSE", "data/lakehouse")

    @property
    def landing_root(self) -> str:
        return _place(self.landing, "MEDALLION_LANDING", "data/landing")

    @property
    def places(self) -> tuple[str, str]:
        return self.lake_root, self.landing_root

    def before_run(self, table: Table, master: Master) -> None:
        """Pre-flight checks: PreCheckError if a run of the table cannot succeed, before anything is written."""
        preflight.before_run(self.lake_root, self.landing_root, table, master)

    def start(self, spark: SparkResource, run_id: str) -> Lake:
        """The lake with a session, started if need be. PreCheckError where its executors could not read the lake."""
        preflight.raise_problems(preflight.spark(spark.master, self.lake_root, self.landing_root))
        return self.open(spark.session(self.places), run_id)

    def open(self, spark: SparkSession, run_id: str = "") -> Lake:
        return Lake(spark, self.lake_root, self.landing_root, run_id, tuple(CALENDAR.get_partition_keys()))

    def delta_table(self, key: str) -> DeltaTable:
        """The table for delta-rs, which reads previews without a JVM."""
        return DeltaTableResource(url=table_path(self.lake_root, key), storage_options=LocalConfig()).load()


def _place(named: str, variable: str, default: str) -> str:
    return as_path(named or os.environ.get(variable) or default)
