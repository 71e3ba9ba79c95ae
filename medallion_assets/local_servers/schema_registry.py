"""A schema registry that speaks Confluent's API: Apicurio Registry, which keeps what it has in memory.

`python -m medallion_assets.local_servers.schema_registry` fetches it; else the first start does.
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from medallion_assets.lakehouse.spark.java import java_home
from medallion_assets.local_servers.java_program import SMALL, unpacked_archive
from medallion_assets.local_servers.local_process import LocalProcess, free_port, running

VERSION = "3.0.9"  # 3.3 wants Java 21
ARCHIVE = f"io.apicurio:apicurio-registry-app:{VERSION}"


@dataclass(frozen=True)
class Registry:
    """A registry, and the process that it is.

    url, own_url: of Confluent's API, and of Apicurio's
    """

    url: str
    own_url: str
    process: LocalProcess


@contextmanager
def schema_registry() -> Iterator[Registry]:
    """Runs until the context is left. JarsError, JavaError, ServerError."""
    with tempfile.TemporaryDirectory(prefix="schema-registry-") as folder:
        port = free_port()
        apis = f"http://127.0.0.1:{port}/apis"
        url, own_url = f"{apis}/ccompat/v7", f"{apis}/registry/v2"
        settings = {"host": "127.0.0.1", "port": port, "access-log.enabled": "false"}
        options = [f"-Dquarkus.http.{name}={value}" for name, value in settings.items()]
        command = [f"{java_home()}/bin/java", *SMALL, *options, "-jar", str(program())]
        process = LocalProcess("The schema registry", command, Path(folder), lambda: _answers(url))
        with running(process):
            yield Registry(url, own_url, process)


def _answers(url: str) -> bool:
    try:
        with urlopen(f"{url}/subjects", timeout=2):
            return True
    except (URLError, TimeoutError, ConnectionError):
        return False


def program() -> Path:
    """The jar that starts the registry, fetched with all that it needs if it is not there. JarsError."""
    return next(unpacked_archive(ARCHIVE).glob("*-runner.jar"))


if __name__ == "__main__":
    os.environ["JAVA_HOME"] = java_home()
    print(f"Schema registry: {program()}")
