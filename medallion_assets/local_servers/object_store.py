"""A store that speaks as S3 does: Adobe's S3Mock, one program, which keeps what it has in a temporary folder.

It asks nobody for credentials. `python -m medallion_assets.local_servers.object_store` fetches it, and what Spark needs
to reach it; else the first start does.
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

from medallion_assets.lakehouse.spark.java import java_home
from medallion_assets.lakehouse.spark.object_store import cached_jars
from medallion_assets.local_servers.java_program import runnable_jar
from medallion_assets.local_servers.local_process import LocalProcess, free_port, running

PROGRAM = "com.adobe.testing:s3mock:4.11.0"
BUCKET = "shop"
_OWN = "com.adobe.testing.s3mock"
# It has a second port, of which no setting says the address: without this it would listen on all of them.
_SECOND_PORT = """<beans xmlns="http://www.springframework.org/schema/beans"
    xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
    xsi:schemaLocation="http://www.springframework.org/schema/beans
    http://www.springframework.org/schema/beans/spring-beans.xsd">
  <bean class="org.springframework.beans.factory.config.MethodInvokingBean" lazy-init="false">
    <property name="targetObject" value="#{webServerFactory.additionalTomcatConnectors[0]}"/>
    <property name="targetMethod" value="setProperty"/>
    <property name="arguments"><list><value>address</value><value>127.0.0.1</value></list></property>
  </bean>
</beans>"""


@dataclass(frozen=True)
class Store:
    """A store that runs.

    endpoint: its URL, without TLS; it has one bucket, BUCKET
    """

    endpoint: str
    process: LocalProcess

    @property
    def environment(self) -> dict[str, str]:
        """The variables by which all programs find it."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ALLOW_HTTP": "true",
            "AWS_ACCESS_KEY_ID": "nobody",
            "AWS_SECRET_ACCESS_KEY": "nothing",
            "AWS_REGION": "us-east-1",
        }


@contextmanager
def object_store() -> Iterator[Store]:
    """Runs until the context is left. JarsError, JavaError, ServerError."""
    with tempfile.TemporaryDirectory(prefix="object-store-") as name:
        folder, port = Path(name), free_port()
        settings = {
            "server.address": "127.0.0.1",
            "server.port": port,
            "server.ssl.enabled": "false",
            # One request at a time: a conditional put looks first and writes then, and nobody may come in between.
            "server.tomcat.threads.max": 1,
            "server.tomcat.threads.min-spare": 1,
            f"{_OWN}.httpPort": 0,
            "spring.main.sources": _second_port(folder).as_uri(),
            f"{_OWN}.store.root": folder / "objects",
            f"{_OWN}.store.initialBuckets": BUCKET,
        }
        options = [f"--{name}={value}" for name, value in settings.items()]
        memory = ["-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
        command = [f"{java_home()}/bin/java", *memory, "-jar", str(program()), *options]
        endpoint = f"http://127.0.0.1:{port}"
        process = LocalProcess("The object store", command, folder, lambda: _answers(endpoint))
        with running(process):
            yield Store(endpoint, process)


def _second_port(folder: Path) -> Path:
    file = folder / "second-port.xml"
    file.write_text(_SECOND_PORT)
    return file


def _answers(endpoint: str) -> bool:
    try:
        with urlopen(f"{endpoint}/{BUCKET}?list-type=2", timeout=2):
            return True
    except HTTPError:  # its bucket is not there yet
        return False
    except (URLError, TimeoutError, ConnectionError):
        return False


def program() -> Path:
    """The jar that is the store, fetched if it is not there. JarsError."""
    return runnable_jar(PROGRAM, "exec")


if __name__ == "__main__":
    os.environ["JAVA_HOME"] = java_home()
    print(f"Object store: {program()}; Spark's connector: {len(cached_jars())} jars")
