"""A child process with a log of its own: started and asked until it is ready, and ended whatever happens."""

import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from medallion_assets.errors import MedallionError

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""By which a process is asked to end: Ctrl-C, `kill`, a terminal that is closed."""
STOP_SECONDS = 60
LAST_LINES = 20


class ServerError(MedallionError):
    """A server is not installed, did not start, or ended by itself. The message says how to install it, or its log."""


class LocalProcess:
    """A process in a session of its own, so that Ctrl-C reaches only ours, which then ends it.

    is_ready: asked until it says so
    stop_by: the signal by which it ends in order
    popen: what else `subprocess.Popen` is to know, such as the user or the environment
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        folder: Path,
        is_ready: Callable[[], bool],
        stop_by: signal.Signals = signal.SIGTERM,
        **popen: Any,
    ):
        self.name, self.command, self.folder, self.is_ready = name, command, folder, is_ready
        self.stop_by, self.popen = stop_by, popen
        self.log = folder / "log"
        self._child: subprocess.Popen[Any] | None = None

    def start(self, within: float = 60) -> None:
        """Returns once it is ready; after `kill` it starts again. ServerError."""
        with self.log.open("ab") as log, _uninterrupted():
            self._child = subprocess.Popen(
                self.command, cwd=self.folder, stdout=log, stderr=log, start_new_session=True, **self.popen
            )
        deadline = time.monotonic() + within
        while not self.is_ready():
            self.check()
            if time.monotonic() > deadline:
                raise ServerError(
                    f"{self.name} is not ready after {within:.0f} s. Its log ends:\n{self.last_lines()}"
                )
            time.sleep(0.1)

    def check(self) -> None:
        """ServerError if it has ended."""
        if self._child and (code := self._child.poll()) is not None:
            raise ServerError(
                f"{self.name} ended by itself (exit code {code}). Its log ends:\n{self.last_lines()}"
            )

    def last_lines(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return "\n".join(f"  {line}" for line in lines[-LAST_LINES:] or ["(it is empty)"])

    def stop(self) -> None:
        """In order; by force what is not gone after a while, and whatever it has started itself."""
        try:
            if self._child:
                self._child.send_signal(self.stop_by)
                self._child.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            pass
        finally:  # also when we are interrupted
            self.kill()

    def kill(self) -> None:
        if self._child:
            with suppress(ProcessLookupError, PermissionError):  # macOS says so of one that has ended
                os.killpg(self._child.pid, signal.SIGKILL)
            self._child.wait()


@contextmanager
def running(process: LocalProcess, within: float = 60) -> Iterator[LocalProcess]:
    """Ready when the context is entered, gone when it is left. ServerError."""
    try:
        process.start(within)
        yield process
    finally:
        process.stop()


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """A signal of ENDING waits until the context is left: else it could leave a child that nobody knows."""
    if threading.current_thread() is not threading.main_thread():  # which alone gets signals
        yield
        return
    came: list[int] = []
    before = {one: signal.signal(one, lambda number, _: came.append(number)) for one in ENDING}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
        if came:
            signal.raise_signal(came[0])


def free_port() -> int:
    """One of this machine that nobody listens on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]
