"""Where settings enter, once: the Spark session, and where the landing area and the lake are."""

import os
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
from medallion_assets.lakehouse.spark.java import java_home
from medallion_assets.lakehouse.storage.lake import Lake, table_path
from medallion_assets.orchestration.partitions import CALENDAR
from medallion_assets.orchestration.settings import as_path


class SparkResource(dg.ConfigurableResource[None]):
    """A session with Delta, started at first use and shared by all steps of the run.

    config: Spark settings over the defaults of `lakehouse/spark/session.py`, such as spark.master or spark.remote.
    """

    config: dict[str, Any] = Field(default_factory=dict)

    @property
    def is_embedded(self) -> bool:
        """Whether the driver runs in this process, with its Java and jars."""
        return "spark.remote" not in self.config

    def session(self) -> SparkSession:
        if self.is_embedded:
            os.environ["JAVA_HOME"] = java_home()
        return LazyPySparkResource(spark_config=session.spark_config(self.config)).spark_session


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

    def before_run(self, table: Table, embedded: bool) -> None:
        """Pre-flight checks: PreCheckError if a run of the table cannot succeed, before anything is written."""
        preflight.before_run(self.lake_root, self.landing_root, table, embedded)

    def open(self, spark: SparkSession, run_id: str = "") -> Lake:
        return Lake(spark, self.lake_root, self.landing_root, run_id, tuple(CALENDAR.get_partition_keys()))

    def delta_table(self, key: str) -> DeltaTable:
        """The table for delta-rs, which reads previews without a JVM."""
        return DeltaTableResource(url=table_path(self.lake_root, key), storage_options=LocalConfig()).load()


def _place(named: str, variable: str, default: str) -> str:
    return as_path(named or os.environ.get(variable) or default)
