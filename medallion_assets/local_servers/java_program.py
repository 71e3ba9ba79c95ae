"""Programs that Maven's packages are: their jars, the command that runs them, and the files that they read."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pyspark

from medallion_assets.lakehouse.spark.jars import fetch
from medallion_assets.lakehouse.spark.java import java_home

SMALL = ("-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
"""Options of a program that starts quickly and has little to do."""


def fetched_jars(packages: Sequence[str]) -> Path:
    """The folder with the jars of the packages and of what they depend on, fetched if they are not there. JarsError."""
    name = "+".join(package.split(":", 1)[1].replace(":", "-") for package in packages)
    folder = Path.home() / ".cache" / "medallion_assets" / name
    fetch(packages, ("*.jar",), folder)
    return folder


def java(folder: Path, *options: str) -> list[str]:
    """The command that runs a class of the jars. JavaError."""
    # spark-submit, which fetches the jars, leaves out what comes with Spark.
    scala = next((Path(pyspark.__file__).parent / "jars").glob("scala-library-*.jar"))
    return [f"{java_home()}/bin/java", *options, "-cp", f"{folder}/*:{scala}"]


def properties(settings: Mapping[str, str]) -> str:
    """A file of Java's properties."""
    return "".join(f"{name}={value}\n".replace("\\", "\\\\") for name, value in settings.items())
