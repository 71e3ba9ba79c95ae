"""A disk of its own size, really mounted: what runs out of room does so for real."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_ROOT = [] if os.geteuid() == 0 else ["sudo", "-n"]


@contextmanager
def mounted(folder: Path, megabytes: int) -> Iterator[Path]:
    folder.mkdir()
    command = [*_ROOT, "mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=1777", "tmpfs", str(folder)]
    done = subprocess.run(command)
    assert done.returncode == 0, "a small disk takes root or sudo: `unshare -rm make test` gives it"
    try:
        yield folder
    finally:
        subprocess.run([*_ROOT, "umount", "-l", str(folder)], check=True)


def resize(folder: Path, megabytes: int) -> None:
    subprocess.run([*_ROOT, "mount", "-o", f"remount,size={megabytes}m", str(folder)], check=True)
