"""The jars of Delta, PostgreSQL and Kafka, fetched once into a local cache: no session start waits for the network.

`python -m medallion_assets.lakehouse.spark.jars` fetches them; else the first session does. For a machine without
network, copy the folder from another one and set MEDALLION_JARS to it.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from medallion_assets.errors import MedallionError
from medallion_assets.lakehouse.spark.java import JavaError, java_home

PACKAGES = (
    "io.delta:delta-spark_4.2_2.13:4.4.0",
    "org.postgresql:postgresql:42.7.14",
    "org.apache.spark:spark-sql-kafka-0-10_2.13:4.2.0",
    "org.apache.spark:spark-avro_2.13:4.2.0",
)
# Delta's other dependencies (Parquet, Jackson, Hadoop, ...) come with pyspark. Only the Unity Catalog client does not,
# and only tables of such a catalog need it. Write, MERGE, OPTIMIZE, VACUUM, RESTORE, change feeds and streams were
# tried with these jars alone. PostgreSQL's driver needs its annotations only to be compiled. What Kafka's client needs
# beside its own comes with pyspark.
JARS = (
    "io.delta_*.jar",
    "org.postgresql_postgresql-*.jar",
    "org.apache.spark_spark-sql-kafka-*.jar",
    "org.apache.spark_spark-avro_*.jar",
    "org.apache.spark_spark-token-provider-kafka-*.jar",
    "org.apache.kafka_kafka-clients-*.jar",
    "org.apache.commons_commons-pool2-*.jar",
)


class JarsError(MedallionError):
    """The jars are not cached and cannot be fetched. The message says what to do."""


def cache() -> Path:
    """The folder that holds the jars: MEDALLION_JARS, or under the user's cache one for these packages."""
    name = "+".join(package.split(":", 1)[1].replace(":", "-") for package in PACKAGES)
    return Path(os.environ.get("MEDALLION_JARS") or Path.home() / ".cache" / "medallion_assets" / name)


def cached_jars() -> list[str]:
    """The paths of the jars; they are fetched first if they are not in the cache. JarsError if they cannot be.

    The folder is created whole or not at all, so one jar of each kind means that all are there.
    """
    fetch(PACKAGES, JARS, cache())
    return cached(cache(), JARS)


def cached(folder: Path, jars: Sequence[str]) -> list[str]:
    """The paths of the jars of these patterns, in order."""
    return sorted(map(str, _needed(folder, jars)))


def fetch(packages: Sequence[str], jars: Sequence[str], target: Path) -> None:
    """Fills the folder with the jars of Maven's packages and of what they depend on, if it lacks one. JarsError.

    jars: patterns of those that are kept; each has a jar once the folder is there
    """
    if _is_complete(target, jars):
        return
    if any(target.glob("*")):
        raise JarsError(
            f"{target} lacks a jar of {' or '.join(packages)}: copy the folder whole, or remove it."
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".fetching-") as folder:
        ivy, chosen = Path(folder) / "ivy", Path(folder) / "jars"
        _resolve(packages, jars, ivy, target)
        chosen.mkdir()
        for jar in _needed(ivy / "jars", jars):
            jar.rename(chosen / jar.name)
        try:
            chosen.rename(target)
        except OSError:
            # Another process may have fetched them meanwhile, which is as good; anything else is a failure.
            if not _is_complete(target, jars):
                raise


def _needed(folder: Path, jars: Sequence[str]) -> list[Path]:
    return [jar for pattern in jars for jar in folder.glob(pattern)]


def _is_complete(folder: Path, jars: Sequence[str]) -> bool:
    return all(any(folder.glob(pattern)) for pattern in jars)


def _resolve(packages: Sequence[str], jars: Sequence[str], ivy: Path, target: Path) -> None:
    """Lets spark-submit resolve the packages for an empty job, which starts no session."""
    spec = find_spec("pyspark")
    if spec is None or spec.origin is None:
        raise JarsError("pyspark is not installed: run `make demo` or `pip install -r requirements.lock`.")
    spark_home = Path(spec.origin).parent
    ivy.mkdir()
    job = ivy / "nothing.py"
    job.touch()
    command = [str(spark_home / "bin" / "spark-submit"), "--master", "local[1]"]
    command += ["--packages", ",".join(packages), "--conf", f"spark.jars.ivy={ivy}", str(job)]
    environment = {**os.environ, "SPARK_HOME": str(spark_home), "PYSPARK_PYTHON": sys.executable}
    result = subprocess.run(command, capture_output=True, text=True, env=environment)
    if result.returncode != 0 or not _is_complete(ivy / "jars", jars):
        raise JarsError(
            f"{result.stdout}{result.stderr}\n"
            f"The jars ({', '.join(packages)}) could not be fetched; Ivy's answer is above. "
            f"Without network, copy {target} from another machine, or set MEDALLION_JARS to a copy."
        )


def main() -> int:
    started = time.monotonic()
    try:
        os.environ["JAVA_HOME"] = java_home()
        jars = cached_jars()
    except (JarsError, JavaError) as error:
        print(error, file=sys.stderr)
        return 1
    print(
        f"Jars of Delta, PostgreSQL and Kafka: {len(jars)} in {cache()} ({time.monotonic() - started:.0f} s)"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
