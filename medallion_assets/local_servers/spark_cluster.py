"""A standalone cluster of Spark on this machine: a master and workers, of pyspark's own classes, on loopback."""

import os
import socket
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pyspark

from medallion_assets.lakehouse.spark.java import java_home
from medallion_assets.local_servers.java_program import SMALL
from medallion_assets.local_servers.local_process import LocalProcess, free_port, running

_CLASSES = "org.apache.spark.deploy"


@dataclass(frozen=True)
class SparkCluster:
    """url: of the master; workers: each starts an executor, a process of its own."""

    url: str
    workers: tuple[LocalProcess, ...]


@contextmanager
def spark_cluster(workers: int = 2, memory: str = "2g") -> Iterator[SparkCluster]:
    """Runs until the context is left; each worker has one core. JavaError, ServerError."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="spark-") as name, ExitStack() as stack:
        options = ("-p", str(port), "--webui-port", "0")
        master = _process("Master", Path(name), "master", options, lambda: _listens(port))
        stack.enter_context(running(master))
        url = f"spark://127.0.0.1:{port}"
        started = [_worker(Path(name), number, url, memory) for number in range(workers)]
        for worker in started:
            stack.enter_context(running(worker))
        yield SparkCluster(url, tuple(started))


def _worker(root: Path, number: int, url: str, memory: str) -> LocalProcess:
    name = f"worker-{number}"
    options = ("--webui-port", "0", "-c", "1", "-m", memory, "-d", str(root / name / "work"), url)
    log = root / name / "log"
    return _process(
        "Worker", root, name, options, lambda: "Successfully registered with master" in log.read_text()
    )


def _process(
    kind: str, root: Path, name: str, options: Sequence[str], is_ready: Callable[[], bool]
) -> LocalProcess:
    folder, home = root / name, Path(pyspark.__file__).parent
    folder.mkdir()
    command = [
        f"{java_home()}/bin/java",
        *SMALL,
        "-cp",
        f"{home}/jars/*",
        f"{_CLASSES}.{kind.lower()}.{kind}",
    ]
    of_spark = {"SPARK_HOME": str(home), "SPARK_SCALA_VERSION": "2.13", "SPARK_LOCAL_IP": "127.0.0.1"}
    environment = {**os.environ, **of_spark}
    return LocalProcess(
        f"Spark's {name}", [*command, "-h", "127.0.0.1", *options], folder, is_ready, env=environment
    )


def _listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False
