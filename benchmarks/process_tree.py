"""Memory and processor time of a process and of all that it started: a Spark session is a JVM beside Python."""

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

_PAGE, _TICKS = os.sysconf("SC_PAGE_SIZE"), os.sysconf("SC_CLK_TCK")
# Places in /proc/<process>/stat after the name of the program.
_PARENT, _TIMES, _RESIDENT = 1, slice(11, 15), 21


def peak_of(process: subprocess.Popen[str]) -> int:
    """The most bytes of memory that the tree of the process held at a time, looked at until it ends.

    A process counts from the second look on: a JVM that starts a program (Hadoop's chmod) is there twice for a moment,
    with the same memory. Pages that forked Python workers share count for each of them.
    """
    peak, seen, began = 0, set[int](), time.monotonic()
    while process.poll() is None:
        pages = {number: int(stat[_RESIDENT]) for number, stat in _tree(process.pid)}
        peak = max(peak, sum(count for number, count in pages.items() if number in seen))
        seen = set(pages)
        # A look costs milliseconds: seldom enough not to be measured itself, often enough for a process of a second.
        time.sleep(min(0.5, 0.05 + (time.monotonic() - began) / 20))
    return peak * _PAGE


def processor_seconds() -> float:
    """Of this process and of those that it started, so far. Other work lengthens them less than seconds."""
    return sum(int(ticks) for _, stat in _tree(os.getpid()) for ticks in stat[_TIMES]) / _TICKS


def _tree(root: int) -> Iterator[tuple[int, list[str]]]:
    """Each process of the tree, and what the system says of it."""
    found: dict[int, list[str]] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            try:
                # The name of the program, in parentheses, may hold anything.
                found[int(folder.name)] = (folder / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue  # it ended
    waiting = [root]
    while waiting:
        number = waiting.pop()
        if number in found:
            yield number, found[number]
            waiting += [child for child, stat in found.items() if int(stat[_PARENT]) == number]
