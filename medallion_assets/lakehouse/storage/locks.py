"""One writer per table."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def one_writer(root: str, key: str) -> Iterator[None]:
    """Delta's commit on a local disk guards only one JVM: a lock file per table keeps other processes waiting."""
    if "://" in root:
        yield
        return
    folder = Path(root) / "_locks"
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / key.replace("/", "."), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
