"""One writer per table on a store: a lease, which is an object that only conditional puts change.

Its holder renews it. Who waits takes it over once it has not changed for LEASE_SECONDS by the clock of who waits: no
two clocks are compared. Which tables are held, and when, is decided by those who call `locks.one_writer`.
"""

import json
import os
import random
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from uuid import uuid4

from medallion_assets.errors import MedallionError
from medallion_assets.lakehouse.storage import stores

LEASE_SECONDS = 60.0
RENEWED_AFTER = 15.0
WAIT_SECONDS = 300.0


class TableBusy(MedallionError):
    """Another process writes the table for longer than this one waits. The message names it."""

    retryable = True


class LeaseLost(MedallionError):
    """This process could not renew its lease, and another one may have written the table meanwhile."""

    retryable = True


@contextmanager
def lease(url: str, what: str) -> Iterator[None]:
    """Waits until nobody else holds it, then holds it. TableBusy, LeaseLost, StoreError.

    what: that is held, for messages
    """
    held = _Lease(url, what)
    held.take()
    ended = threading.Event()
    renewing = threading.Thread(target=held.renew, args=(ended,), daemon=True)
    renewing.start()
    try:
        yield
    finally:
        ended.set()
        renewing.join()
        is_ours = held.give_back()
    if not is_ours:
        raise LeaseLost(
            f"{what}: this process did not reach the store for {LEASE_SECONDS:.0f} s, so that its lease {url} went to "
            "another one, which may have written at the same time: look at `make history`, and run it again"
        )


class _Lease:
    def __init__(self, url: str, what: str):
        self.url, self.what = url, what
        self._version: str | None = None
        self._taken_at = datetime.now(timezone.utc)

    def take(self) -> None:
        began = unchanged_since = time.monotonic()
        seen, pause = "", 0.05
        while True:
            found = stores.read_with_version(self.url)
            state, version = (_state(found[0]), found[1]) if found else ({"holder": ""}, None)
            now = time.monotonic()
            if version != seen:
                seen, unchanged_since = version, now
            if not state["holder"] or now - unchanged_since >= LEASE_SECONDS:
                self._taken_at = datetime.now(timezone.utc)
                if self._write(version, _this_holder()):
                    return
            elif now - began >= WAIT_SECONDS:
                raise TableBusy(
                    f"{self.what} is held by {state['holder']}, since {state['taken_at']}: wait until that has ended. "
                    f"Where it was killed, others take over {LEASE_SECONDS:.0f} s later"
                )
            time.sleep(pause * random.uniform(0.5, 1.5))
            pause = min(2 * pause, 1.0)

    def renew(self, ended: threading.Event) -> None:
        while not ended.wait(RENEWED_AFTER):
            try:
                if not self._write(self._version, _this_holder()):
                    return
            except stores.StoreError:
                continue  # it is tried again, and at the end it is told if that was too late

    def give_back(self) -> bool:
        """False where somebody else has taken it."""
        return self._write(self._version, "")

    def _write(self, version: str | None, holder: str) -> bool:
        taken_at = f"{self._taken_at:%Y-%m-%d %H:%M:%S} UTC"
        # Never the same content twice: a store may make the version of the content.
        state = {"holder": holder, "taken_at": taken_at, "write": uuid4().hex}
        content = json.dumps(state).encode()
        written = stores.write_if(self.url, content, version)
        if written is None:
            # Where the answer to a put was lost, its repetition is refused.
            found = stores.read_with_version(self.url)
            written = found[1] if found and found[0] == content else None
        if written is None:
            return False
        self._version = written
        return True


def _state(content: bytes) -> dict[str, str]:
    """Of a lease that cannot be read, nobody knows the holder: it is taken over as that of others is."""
    try:
        return json.loads(content)
    except ValueError:
        return {"holder": "an unknown process", "taken_at": "an unknown time"}


def _this_holder() -> str:
    return f"process {os.getpid()} on {socket.gethostname()}"
