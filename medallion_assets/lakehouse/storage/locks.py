"""One writer per table, among the processes of one machine.

On an object store no lock is taken. Delta's own commit on S3 guards the writers of one driver only.
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def one_writer(root: str, key: str) -> Iterator[None]:
    """Waits until no other process writes the table, then keeps others waiting.

    Needed because Delta's commit on a local disk guards only the threads of one JVM.
    """
    if "://" in root:
        yield
        return
    folder = Path(root) / "_locks"
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / key.replace("/", "."), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
