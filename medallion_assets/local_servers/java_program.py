"""Programs that Maven's packages are: their jars, the command that runs them, and the files that they read."""

import subprocess
import tarfile
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import pyspark

from medallion_assets.lakehouse.spark.jars import JarsError, fetch
from medallion_assets.lakehouse.spark.java import java_home

SMALL = ("-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
"""Options of a program that starts quickly and has little to do."""

CACHE = Path.home() / ".cache" / "medallion_assets"

# A program that is one file is no dependency of spark-submit's. What it depends on is in it, so no POM is read.
_IVY_SETTINGS = """<ivysettings>
  <settings defaultResolver="public"/>
  <resolvers><ibiblio name="public" m2compatible="true" usepoms="false"/></resolvers>
</ivysettings>"""
_IVY_MODULE = """<ivy-module version="2.0" xmlns:m="http://ant.apache.org/ivy/maven">
  <info organisation="medallion_assets" module="programs"/>
  <dependencies>
    <dependency org="{group}" name="{name}" rev="{version}">
      <artifact name="{name}" type="{ending}" ext="{ending}" m:classifier="{classifier}"/>
    </dependency>
  </dependencies>
</ivy-module>"""


def fetched_jars(packages: Sequence[str]) -> Path:
    """The folder with the jars of the packages and of what they depend on, fetched if they are not there. JarsError."""
    folder = CACHE / "+".join(_file_name(package) for package in packages)
    fetch(packages, ("*.jar",), folder)
    return folder


def unpacked_archive(package: str) -> Path:
    """The folder of a program that is an archive with all of its jars, fetched if it is not there. JarsError."""
    target = CACHE / _file_name(package)
    if target.exists():
        return target
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE, prefix=".fetching-") as name:
        folder, unpacked = Path(name), Path(name) / "unpacked"
        with tarfile.open(_fetch_file(package, "all", "tar.gz", folder, target)) as archive:
            archive.extractall(unpacked, filter="data")
        try:
            unpacked.rename(target)
        except OSError:  # another process may have fetched it meanwhile
            if not target.exists():
                raise
    return target


def runnable_jar(package: str, classifier: str) -> Path:
    """A jar that holds all that it needs, fetched if it is not there. JarsError."""
    target = CACHE / f"{_file_name(package)}-{classifier}.jar"
    if not target.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE, prefix=".fetching-") as name:
            _fetch_file(package, classifier, "jar", Path(name), target).rename(target)
    return target


def _fetch_file(package: str, classifier: str, ending: str, folder: Path, target: Path) -> Path:
    group, name, version = package.split(":")
    module, settings, cache = folder / "ivy.xml", folder / "settings.xml", folder / "cache"
    text = _IVY_MODULE.format(group=group, name=name, version=version, classifier=classifier, ending=ending)
    module.write_text(text)
    settings.write_text(_IVY_SETTINGS)
    ivy = [f"{java_home()}/bin/java", "-jar", str(_jar_of_spark("ivy")), "-warn"]
    files = ["-settings", str(settings), "-ivy", str(module), "-cache", str(cache)]
    done = subprocess.run([*ivy, *files], capture_output=True, text=True)
    found = list(cache.rglob(f"*.{ending}"))
    if done.returncode or not found:
        raise JarsError(
            f"{done.stdout}{done.stderr}\n"
            f"{package} could not be fetched; Ivy's answer is above. "
            f"Without network, copy {target} from another machine."
        )
    return found[0]


def java(folder: Path, *options: str) -> list[str]:
    """The command that runs a class of the jars. JavaError."""
    # spark-submit, which fetches the jars, leaves out what comes with Spark.
    return [f"{java_home()}/bin/java", *options, "-cp", f"{folder}/*:{_jar_of_spark('scala-library')}"]


def properties(settings: Mapping[str, str]) -> str:
    """A file of Java's properties."""
    return "".join(f"{name}={value}\n".replace("\\", "\\\\") for name, value in settings.items())


def _jar_of_spark(name: str) -> Path:
    return next((Path(pyspark.__file__).parent / "jars").glob(f"{name}-*.jar"))


def _file_name(package: str) -> str:
    return package.split(":", 1)[1].replace(":", "-")
