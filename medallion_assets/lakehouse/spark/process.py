"""Which process this is, told so that another one can find out whether it is gone; and its private temporary folder."""

import os
import shutil
import tempfile
from functools import cache
from pathlib import Path


def this_process() -> str:
    """The process id and when it started: a number may be given again, but not with the same time."""
    return _named(os.getpid()) or f"{os.getpid()}-"


def is_gone(process: str) -> bool:
    """Whether a process of this machine has ended; False where nobody can tell (there is no /proc)."""
    number, _, started = process.partition("-")
    return number.isdecimal() and bool(started) and _named(int(number)) != process


@cache
def temporary_folder() -> Path:
    """The folder of this process, which nobody else may read. Those of processes that are gone are removed.

    A process that is killed leaves its folder behind, with what Spark kept of rows in it.
    """
    ours = Path(tempfile.gettempdir()) / f"medallion_assets-{os.getuid()}"
    ours.mkdir(mode=0o700, exist_ok=True)
    ours.chmod(0o700)  # PermissionError where it is somebody else's
    for folder in ours.iterdir():
        if is_gone(folder.name):
            shutil.rmtree(folder, ignore_errors=True)
    folder = ours / this_process()
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def _named(number: int) -> str | None:
    """None where there is no such process, or only a zombie, which its parent has not asked for yet."""
    try:
        # The name of the program, in parentheses, may hold anything.
        state, *rest = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if state in ("Z", "X") else f"{number}-{rest[18]}"
