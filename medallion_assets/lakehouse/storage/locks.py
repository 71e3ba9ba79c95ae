"""One writer per table: by a lock among the processes of one machine, on a store by a lease among all."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from medallion_assets.lakehouse.storage.leases import lease
from medallion_assets.lakehouse.storage.stores import is_url


@contextmanager
def one_writer(root: str, key: str) -> Iterator[None]:
    """Waits until no other process writes the table, then keeps others waiting.

    Needed because Delta's commit guards only the threads of one JVM, on a local disk and on S3. Of a store: TableBusy,
    LeaseLost, StoreError.
    """
    if is_url(root):
        with lease(f"{root.rstrip('/')}/_locks/{key.replace('/', '.')}.json", key):
            yield
        return
    folder = Path(root) / "_locks"
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / key.replace("/", "."), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
