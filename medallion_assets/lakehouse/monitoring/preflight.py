"""What a run needs before it begins: Java, jars, a lake that can be written, room on its disk, a source to read.

A run that lacks one of them would fail minutes later, with an error of Spark's that does not say how to mend it.
No session is started and no data read.
"""

import os
import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from medallion_assets.contracts.table import Table
from medallion_assets.errors import MedallionError
from medallion_assets.lakehouse.landing.listing import LandingError, list_days
from medallion_assets.lakehouse.spark.jars import KEPT, cache
from medallion_assets.lakehouse.spark.java import JavaError, java_home

LIMIT = "MEDALLION_MIN_FREE_MB"
MINIMUM_FREE = 200 * 2**20
"""Bytes that must be free where the lake is, unless MEDALLION_MIN_FREE_MB says otherwise."""


@dataclass(frozen=True)
class Finding:
    """What was looked at and where; `problem` says what is wrong and how to mend it."""

    what: str
    where: str
    problem: str = ""

    @property
    def ok(self) -> bool:
        return not self.problem


class PreCheckError(MedallionError):
    """A run would fail. A line for each problem: what, where and how to mend it."""


def before_run(root: str, landing: str, table: Table, needs_java: bool) -> None:
    """PreCheckError if a step of the table cannot succeed. Milliseconds, but for Java's first answer (0.3 s)."""
    found = [lake_writable(root), free_disk(root, minimum_free()), source_readable(landing, table)]
    raise_problems([*([java(), jars()] if needs_java else []), *(finding for finding in found if finding)])


def raise_problems(findings: Iterable[Finding]) -> None:
    lines = [f"{one.what}, {one.where}: {one.problem}" for one in findings if not one.ok]
    if lines:
        raise PreCheckError("\n".join(lines))


def java() -> Finding:
    where = os.environ.get("JAVA_HOME", "")
    try:
        return Finding("Java", _java_home(where, os.environ.get("PATH", "")))
    except JavaError as error:
        return Finding("Java", f"JAVA_HOME={where}" if where else "PATH", str(error))


@lru_cache
def _java_home(named: str, path: str) -> str:
    """One answer for each environment, as every question starts a process; an error is not kept."""
    return java_home()


def jars() -> Finding:
    """No jar at all is no problem: the first session fetches them."""
    folder = cache()
    held = [any(folder.glob(pattern)) for pattern in KEPT]
    if all(held):
        return Finding("jars", str(folder))
    if not folder.is_dir() or not any(folder.iterdir()):
        return Finding("jars", f"{folder} (empty: the first run fetches them)")
    lacking = ", ".join(pattern for pattern, is_held in zip(KEPT, held, strict=True) if not is_held)
    return Finding("jars", str(folder), f"lacks {lacking}: copy the folder whole, or remove it")


def lake_writable(root: str) -> Finding:
    """Writes a file and removes it. An object store says so itself, at the first commit."""
    if "://" in root:
        return Finding("lake", root)
    try:
        folder = Path(root) / "_locks"
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder, prefix="precheck-") as file:
            file.write(b"written before a run\n")
            file.flush()
    except OSError as error:
        mend = "allow this user to write there, or set MEDALLION_LAKEHOUSE to another folder"
        return Finding("lake", root, f"cannot be written ({error.strerror}): {mend}")
    return Finding("lake", root)


def minimum_free() -> int:
    """Bytes, as MEDALLION_MIN_FREE_MB says; 0 turns the check off."""
    text = os.environ.get(LIMIT, "").strip()
    if not text:
        return MINIMUM_FREE
    if not text.isdecimal():
        raise PreCheckError(
            f"{LIMIT} is {text!r}: set it to whole megabytes, such as 200, or to 0 for no check"
        )
    return int(text) * 2**20


def free_disk(root: str, minimum_bytes: int) -> Finding:
    """The lake may not be there yet: what counts is the disk of the nearest folder that is."""
    if "://" in root:
        return Finding("free disk", root)
    there = next(place for place in (Path(root), *Path(root).parents) if place.exists())
    free = shutil.disk_usage(there).free
    where = f"{free // 2**20} MB free at {there}"
    if free >= minimum_bytes:
        return Finding("free disk", where)
    mend = f"free some space, or set the limit {LIMIT} (0 for no check)"
    return Finding("free disk", where, f"{minimum_bytes // 2**20} MB are needed: {mend}")


def source_readable(landing: str, table: Table) -> Finding | None:
    """Whether the table's landed files can be listed; None for a table that reads none."""
    folder = table.landing_folder
    if not folder:
        return None
    what, where = f"source of {table.key}", os.path.join(landing, folder)
    try:
        list_days(landing, folder)
    except LandingError as error:
        return Finding(what, where, str(error))
    return Finding(what, where)
