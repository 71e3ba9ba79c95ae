"""A Spark session with Delta: embedded, with defaults for a small machine, on a cluster, or by Spark Connect.

The only module that may touch the session's JVM. Everything else takes a session and uses DataFrames and SQL.
"""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession

from medallion_assets.lakehouse.spark import class_archive
from medallion_assets.lakehouse.spark.jars import cached_jars
from medallion_assets.lakehouse.spark.java import java_home
from medallion_assets.lakehouse.spark.process import temporary_folder

# These settings decide what the tables mean, so they hold wherever Spark runs.
SEMANTICS = {
    "spark.sql.session.timeZone": "UTC",
    # Parquet of other writers has nanosecond timestamps; landing reads them as numbers instead of failing.
    "spark.sql.legacy.parquet.nanosAsLong": "true",
    # delta-rs, which reads logs for the sensors, does not see deletion vectors in its counts and file lists.
    "spark.databricks.delta.properties.defaults.enableDeletionVectors": "false",
    # Not Spark's INT96, which has no statistics and no time outside of 1677 to 2262 that Arrow could read.
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    # By default statistics have 32 characters of a text, less than the path of a file. With the whole path, a new file
    # of a large day is found in bronze without reading the day.
    "spark.databricks.io.skipping.stringPrefixLength": "128",
    # What our MERGEs merge is a checkpoint, the same whenever it is read: Delta need not write it down once more.
    "spark.databricks.delta.merge.materializeSource": "none",
    # Java's own capitals: to load those of ICU takes a second of each session that calls `upper` or `lower`.
    "spark.sql.icu.caseMappings.enabled": "false",
}
# Static settings: a Connect server has its own.
DELTA = {
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
    "spark.ui.showConsoleProgress": "false",
}


def spark_config(overrides: Mapping[str, str] | None = None) -> dict[str, str]:
    """The settings of a session. `overrides` win; their spark.remote or spark.master says where it runs."""
    given = dict(overrides or {})
    if "spark.remote" in given:
        connect = ("spark.remote", "spark.sql.", "spark.databricks.delta.")
        return SEMANTICS | {key: value for key, value in given.items() if key.startswith(connect)}
    is_local = given.get("spark.master", "local").startswith("local")
    jars = {} if {"spark.jars", "spark.jars.packages"} & given.keys() else _jars(is_local)
    return SEMANTICS | DELTA | jars | (_local() if is_local else {}) | given


def _jars(is_local: bool) -> dict[str, str]:
    """Locally on the class path itself: the class archive has no classes of other jars."""
    return (
        {"spark.driver.extraClassPath": ":".join(cached_jars())}
        if is_local
        else {"spark.jars": ",".join(cached_jars())}
    )


def start(overrides: Mapping[str, str] | None = None) -> SparkSession:
    """The running session, or a new one: for tests and commands, outside Dagster's resources. JavaError, JarsError."""
    config = spark_config(overrides)
    if "spark.remote" not in config:
        os.environ["JAVA_HOME"] = java_home()
    builder = SparkSession.builder
    for key, value in config.items():
        builder = builder.config(key, value)
    return builder.getOrCreate()


def end(spark: SparkSession) -> None:
    """Stops an embedded session and waits until its JVM has ended."""
    gateway: Any = spark.sparkContext._gateway
    spark.stop()
    gateway.shutdown()
    gateway.proc.stdin.close()
    gateway.proc.wait()


def jobs_started(spark: SparkSession) -> int:
    """How many Spark jobs this session has started: for the benchmark, on an embedded session."""
    return spark._jsc.sc().dagScheduler().numTotalJobs()  # type: ignore[union-attr]


def _local() -> dict[str, str]:
    """One process on one machine: as many tasks as cores, nothing listening beyond it."""
    cores = str(os.cpu_count() or 2)
    # Else Spark's workers are the `python3` of the PATH.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    logging = Path(__file__).with_name("log4j2.properties").as_uri()
    temporary = temporary_folder()
    return {
        "spark.master": "local[*]",
        "spark.driver.memory": "4g",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        # Spark keeps persisted rows there. It removes them at its end; after a kill, the next start does.
        "spark.driver.extraJavaOptions": (
            f"-Dlog4j2.configurationFile={logging} -Djava.io.tmpdir={temporary} {class_archive.to_read()}"
        ),
        "spark.ui.enabled": "false",
        # Tables are found by path. Spark creates a warehouse folder anyway; it stays out of the working folder.
        "spark.sql.warehouse.dir": f"{temporary}/warehouse",
        # The defaults (200, 50, 10000 tasks) cost tens of seconds a day on two cores; VACUUM alone takes a minute.
        "spark.sql.shuffle.partitions": cores,
        "spark.databricks.delta.snapshotPartitions": cores,
        "spark.sql.sources.parallelPartitionDiscovery.parallelism": cores,
        # The driver lists a year of landed files in a moment; for Spark it would be a job of 365 tasks.
        "spark.sql.sources.parallelPartitionDiscovery.threshold": "10000",
        # Recording the Python line of every expression doubles the cost of building a plan.
        "spark.python.sql.dataFrameDebugging.enabled": "false",
    }
