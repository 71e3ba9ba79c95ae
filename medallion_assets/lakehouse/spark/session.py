"""A Spark session with Delta: embedded, with defaults for a small machine, on a cluster, or by Spark Connect.

The only module that may touch the session's JVM. Everything else takes a session and uses DataFrames and SQL.
"""

import os
import sys
import time
from collections.abc import Collection, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession

from medallion_assets.errors import MedallionError
from medallion_assets.lakehouse.spark import class_archive, object_store
from medallion_assets.lakehouse.spark.given_settings import given_settings
from medallion_assets.lakehouse.spark.jars import cached_jars
from medallion_assets.lakehouse.spark.java import java_home
from medallion_assets.lakehouse.spark.java_lookups import remember_lookups
from medallion_assets.lakehouse.spark.master import Master
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
# Nothing listens beyond this machine.
LOOPBACK = {"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}
LISTS = {
    "spark.jars": ",",
    "spark.sql.extensions": ",",
    "spark.driver.extraClassPath": ":",
    "spark.driver.extraJavaOptions": " ",
}
"""What separates the values of settings that are lists."""
EXECUTOR_SECONDS = 60
SETTLED_SECONDS = 1.0
"""So long after the last executor no other one is expected."""


class ExecutorsMissing(MedallionError):
    """The cluster gave none."""

    retryable = True


def spark_config(overrides: Mapping[str, Any] | None = None, places: Collection[str] = ()) -> dict[str, str]:
    """The settings of a session: our defaults, and over them what is given. JarsError, PropertiesError.

    places: of the lake and the landing area, as far as one is a URL

    Of what is a list, such as spark.jars, ours comes first and what is given is added.
    """
    given = given_settings(overrides)
    master = Master(given)
    if master.is_connect:
        connect = ("spark.remote", "spark.sql.", "spark.databricks.delta.")
        return SEMANTICS | {key: value for key, value in given.items() if key.startswith(connect)}
    on_s3 = object_store.is_on_s3(places)
    jars = [*cached_jars(), *(object_store.cached_jars() if on_s3 else [])]
    store = object_store.settings(os.environ) if on_s3 else {}
    ours = SEMANTICS | DELTA | store | _defaults(master, jars) | _sizes(master.cores)
    both = {
        key: f"{ours[key]}{by}{given[key]}" for key, by in LISTS.items() if ours.get(key) and key in given
    }
    return ours | given | both


def start(overrides: Mapping[str, Any] | None = None) -> SparkSession:
    """The running session, or a new one: for tests and commands, outside Dagster's resources.

    JavaError, JarsError, PropertiesError, ExecutorsMissing.
    """
    config = spark_config(overrides)
    if "spark.remote" not in config:
        os.environ["JAVA_HOME"] = java_home()
    builder = SparkSession.builder
    for key, value in config.items():
        builder = builder.config(key, value)
    spark = builder.getOrCreate()
    fit(spark, config)
    return spark


def fit(spark: SparkSession, config: Mapping[str, str]) -> None:
    """Makes a session ready. Of a cluster it awaits the executors: their cores give sizes that nothing else says."""
    master = Master(config)
    if not master.is_connect:
        remember_lookups(spark._jvm)  # type: ignore[arg-type]
    if master.is_local or master.is_connect or master.adds_executors:
        return
    context: Any = spark.sparkContext
    cores = _cores_that_came(context, master.shown, master.cores)
    if master.cores is None:
        for key, value in _sizes(cores).items():
            if key not in config:
                spark.conf.set(key, value)
                context._jsc.sc().conf().set(key, value)  # of sessions to come, as those of streams


def end(spark: SparkSession) -> None:
    """Stops an embedded session and waits until its JVM has ended."""
    gateway: Any = spark.sparkContext._gateway
    spark.stop()
    gateway.shutdown()
    gateway.proc.stdin.close()
    gateway.proc.wait()


def cores_of(spark: SparkSession) -> int:
    """How many tasks an embedded session runs at a time."""
    return spark.sparkContext.defaultParallelism


def delete(spark: SparkSession, place: str) -> None:
    """Removes a folder with all that is in it, on any store that an embedded session reads."""
    context: Any = spark.sparkContext
    path = context._jvm.org.apache.hadoop.fs.Path(place)
    path.getFileSystem(context._jsc.hadoopConfiguration()).delete(path, True)


def jobs_started(spark: SparkSession) -> int:
    """How many Spark jobs this session has started: for the benchmark, on an embedded session."""
    return spark._jsc.sc().dagScheduler().numTotalJobs()  # type: ignore[union-attr]


@cache
def _cores_that_came(context: Any, master: str, expected: int | None) -> int:
    """Asked once a session; an error is not kept."""
    scala, began = context._jsc.sc(), time.monotonic()
    last, since = 0, began
    while True:
        executors, now = scala.getExecutorMemoryStatus().size() - 1, time.monotonic()  # less the driver
        last, since = (last, since) if executors == last else (executors, now)
        if executors and (scala.defaultParallelism() == expected or now - since > SETTLED_SECONDS):
            return scala.defaultParallelism()
        if not executors and now - began > EXECUTOR_SECONDS:
            raise ExecutorsMissing(
                f"{master} gave no executor within {EXECUTOR_SECONDS} s: start workers, wait until others are done, "
                "or set spark.executor.memory and spark.executor.cores to what a worker has free"
            )
        time.sleep(0.1)


def _defaults(master: Master, jars: Collection[str]) -> dict[str, str]:
    """What does not depend on the number of cores."""
    # Else Spark's workers are the `python3` of the PATH.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    logging = Path(__file__).with_name("log4j2.properties").as_uri()
    temporary = temporary_folder()
    return {
        "spark.master": master.url,
        "spark.driver.memory": "4g",
        # The driver has them on its class path: the class archive has no classes of other jars.
        "spark.driver.extraClassPath": ":".join(jars),
        **({} if master.is_local else {"spark.jars": ",".join(jars)}),
        **(LOOPBACK if master.is_on_this_machine else {}),
        # Spark keeps persisted rows there. It removes them at its end; after a kill, the next start does.
        "spark.driver.extraJavaOptions": (
            f"-Dlog4j2.configurationFile={logging} -Djava.io.tmpdir={temporary} {class_archive.to_read()}"
        ),
        "spark.ui.enabled": "false",
        # Tables are found by path. Spark creates a warehouse folder anyway; it stays out of the working folder.
        "spark.sql.warehouse.dir": f"{temporary}/warehouse",
        # The driver lists a year of landed files in a moment; for Spark it would be a job of 365 tasks.
        "spark.sql.sources.parallelPartitionDiscovery.threshold": "10000",
        # Recording the Python line of every expression doubles the cost of building a plan.
        "spark.python.sql.dataFrameDebugging.enabled": "false",
    }


def _sizes(cores: int | None) -> dict[str, str]:
    """As many tasks as cores. Spark's own (200, 50, 10000) cost tens of seconds a day on two; VACUUM alone a minute."""
    names = (
        "spark.sql.shuffle.partitions",
        "spark.databricks.delta.snapshotPartitions",
        "spark.sql.sources.parallelPartitionDiscovery.parallelism",
    )
    return {name: str(cores) for name in names} if cores else {}
