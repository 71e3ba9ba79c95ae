"""Pre-flight checks of a run: Java, jars, Spark's master, a lake that can be written, free disk, a source to be read.

Without them a run would fail minutes later, with an error of Spark that does not say how to fix it. No session is
started and no data is read.
"""

import os
import shutil
import socket
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from medallion_assets.contracts.table import Table
from medallion_assets.errors import MedallionError
from medallion_assets.lakehouse.landing.area import LandingError
from medallion_assets.lakehouse.landing.listing import list_days
from medallion_assets.lakehouse.landing.store import LandingUnreachable
from medallion_assets.lakehouse.spark.jars import JARS, cache
from medallion_assets.lakehouse.spark.java import JavaError, java_home
from medallion_assets.lakehouse.spark.master import Master
from medallion_assets.lakehouse.storage.stores import StoreError, StoreUnreachable, is_url, list_folder

LIMIT, SHARED = "MEDALLION_MIN_FREE_MB", "MEDALLION_SHARED_FOLDERS"
MINIMUM_FREE = 200 * 2**20
"""Bytes that must be free where the lake is, unless MEDALLION_MIN_FREE_MB says otherwise."""
_CONNECT_SECONDS = 3
_NO_ANSWER = "nobody answers there: start it, or correct MEDALLION_SPARK"
_APART = (
    "a folder of this machine, which executors on others lack: use an object store, or a network folder that is "
    f"mounted at the same path everywhere, and say so with {SHARED}=on"
)


@dataclass(frozen=True)
class Finding:
    """What was checked and where. `problem` says what is wrong and how to fix it; it is empty if all is well."""

    what: str
    where: str
    problem: str = ""

    @property
    def ok(self) -> bool:
        return not self.problem


class PreCheckError(MedallionError):
    """A run would fail. The message has a line for each problem: what, where and how to fix it."""


def before_run(root: str, landing: str, table: Table, master: Master) -> None:
    """PreCheckError if a step of the table cannot succeed. Takes milliseconds; Java's first answer takes 0.3 s."""
    driver = [] if master.is_connect else [java(), jars()]
    found = [lake_writable(root), free_disk(root, minimum_free()), source_readable(landing, table)]
    raise_problems([*driver, *spark(master, root, landing), *(finding for finding in found if finding)])


def raise_problems(findings: Iterable[Finding]) -> None:
    """PreCheckError with a line for each problem, if there is one."""
    lines = [f"{one.what}, {one.where}: {one.problem}" for one in findings if not one.ok]
    if lines:
        raise PreCheckError("\n".join(lines))


def java() -> Finding:
    """Whether there is a Java that Spark runs on."""
    where = os.environ.get("JAVA_HOME", "")
    try:
        return Finding("Java", _java_home(where, os.environ.get("PATH", "")))
    except JavaError as error:
        return Finding("Java", f"JAVA_HOME={where}" if where else "PATH", str(error))


@lru_cache
def _java_home(named: str, path: str) -> str:
    """One answer for each environment, since asking starts a process; an error is not cached."""
    return java_home()


def jars() -> Finding:
    """Whether the cached jars are complete. An empty cache is no problem: the first session fetches them."""
    folder = cache()
    cached = [any(folder.glob(pattern)) for pattern in JARS]
    if all(cached):
        return Finding("jars", str(folder))
    if not folder.is_dir() or not any(folder.iterdir()):
        return Finding("jars", f"{folder} (empty: the first run fetches them)")
    missing = ", ".join(pattern for pattern, found in zip(JARS, cached, strict=True) if not found)
    return Finding("jars", str(folder), f"lacks {missing}: copy the folder whole, or remove it")


def spark(master: Master, root: str, landing: str) -> list[Finding]:
    """Whether the master answers, and its executors have the folders of the lake and of the landing area."""
    if master.is_local:
        return []
    places = {"lake of the executors": root, "landing of the executors": landing}
    apart = not master.is_on_this_machine and os.environ.get(SHARED) != "on"
    return [
        Finding("Spark", master.shown, "" if _answers(master) else _NO_ANSWER),
        *[Finding(what, at, _APART if apart and not is_url(at) else "") for what, at in places.items()],
    ]


def _answers(master: Master) -> bool:
    """One of several standalone masters is enough; of YARN and Kubernetes, Spark itself says it."""
    for address in master.addresses:
        with suppress(OSError), socket.create_connection(address, timeout=_CONNECT_SECONDS):
            return True
    return not master.addresses


def lake_writable(root: str) -> Finding:
    """Whether a file can be written; on a store, whether it can be listed. StoreUnreachable."""
    if is_url(root):
        return _store_answers(root)
    try:
        folder = Path(root) / "_locks"
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder, prefix="precheck-") as file:
            file.write(b"written before a run\n")
            file.flush()
    except OSError as error:
        fix = "allow this user to write there, or set MEDALLION_LAKEHOUSE to another folder"
        return Finding("lake", root, f"cannot be written ({error.strerror}): {fix}")
    return Finding("lake", root)


def _store_answers(root: str) -> Finding:
    try:
        list_folder(root)
    except StoreUnreachable:
        raise  # another time it may answer, so that the step is tried again
    except StoreError as error:
        return Finding("lake", root, str(error))
    return Finding("lake", root)


def minimum_free() -> int:
    """Bytes, by MEDALLION_MIN_FREE_MB; 0 turns the check off. PreCheckError if that is no number."""
    text = os.environ.get(LIMIT, "").strip()
    if not text:
        return MINIMUM_FREE
    if not text.isdecimal():
        raise PreCheckError(
            f"{LIMIT} is {text!r}: set it to whole megabytes, such as 200, or to 0 for no check"
        )
    return int(text) * 2**20


def free_disk(root: str, minimum_bytes: int) -> Finding:
    """Whether the lake's disk has that many bytes. If there is no lake yet, the nearest folder above counts."""
    if is_url(root):
        return Finding("free disk", root)
    folder = next(place for place in (Path(root), *Path(root).parents) if place.exists())
    free = shutil.disk_usage(folder).free
    where = f"{free // 2**20} MB free at {folder}"
    if free >= minimum_bytes:
        return Finding("free disk", where)
    fix = f"free some space, or set the limit {LIMIT} (0 for no check)"
    return Finding("free disk", where, f"{minimum_bytes // 2**20} MB are needed: {fix}")


def source_readable(landing: str, table: Table) -> Finding | None:
    """Whether the table's landed files can be listed; None for a table that reads none. LandingUnreachable."""
    folder = table.landing_folder
    if not folder:
        return None
    what, where = f"source of {table.key}", os.path.join(landing, folder)
    try:
        list_days(landing, folder)
    except LandingUnreachable:
        raise
    except LandingError as error:
        return Finding(what, where, str(error))
    return Finding(what, where)
