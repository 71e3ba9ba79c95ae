"""A landing area in a folder, on a disk or mounted storage."""

import errno
import os
import stat
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import BinaryIO

from medallion_assets.lakehouse.landing.area import (
    Content,
    Entry,
    LandedFile,
    LandingArea,
    LandingError,
    is_complete,
)

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


class FolderArea(LandingArea):
    """Days are folders, and may be links to some."""

    def __init__(self, root: str):
        self.root = root

    @property
    def above(self) -> str:
        return os.path.join(os.path.abspath(self.root), "")

    def entries(self, source: str) -> list[Entry]:
        """A link counts as a folder wherever it leads: a disk that is not mounted must not look like an empty day."""
        return [
            Entry(_printable(entry.name), entry.is_symlink() or entry.is_dir())
            for entry in _entries(_source_folder(self.root, source))
        ]

    def files(self, source: str, days: Collection[str]) -> Iterator[LandedFile]:
        for day in days:
            yield from _found(self.root, day, os.path.join(self.root, source, f"date={day}"))

    def again(self, file: LandedFile) -> LandedFile | None:
        path = os.path.join(self.root, file.path)
        try:
            return _landed(self.root, file.day, path, os.stat(path))
        except OSError:
            return None

    def content(self, path: str) -> Content:
        return LocalContent(os.path.join(os.path.abspath(self.root), path))

    def write(self, path: str, content: bytes) -> bool:
        """Under a name that is not complete, which is then changed."""
        target = Path(self.root, path)
        if target.exists() and target.read_bytes() == content:
            return False
        target.parent.mkdir(parents=True, exist_ok=True)
        unfinished = target.with_name(f".{target.name}.{os.getpid()}")
        unfinished.write_bytes(content)
        unfinished.replace(target)
        return True


class LocalContent(Content):
    """A file of the file system."""

    def __init__(self, path: str):
        self.path = path

    @property
    def uri(self) -> str:
        return Path(self.path).as_uri()

    @property
    def size(self) -> int:
        return os.path.getsize(self.path)

    @property
    def modified_at(self) -> datetime:
        return _modified_at(os.stat(self.path))

    def open(self) -> BinaryIO:
        return open(self.path, "rb")

    @contextmanager
    def as_file(self) -> Iterator[str]:
        yield self.path


def _source_folder(root: str, source: str) -> str:
    folder = os.path.join(root, source)
    for needed in (root, folder):
        if not os.path.isdir(needed):
            raise LandingError(
                f"The landing folder {needed} is not there: mount or create it, or correct MEDALLION_LANDING"
            )
    return folder


def _entries(folder: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError as error:
        message = (
            f"The landing folder {folder} cannot be listed ({error.strerror}): allow this user to read it"
        )
        raise LandingError(message) from error


def _found(
    root: str, day: str, path: str, above: frozenset[tuple[int, int]] = frozenset()
) -> Iterator[LandedFile]:
    """The files at or below a path.

    above: device and inode of the folders that it lies in
    """
    try:
        status = os.stat(path)
        identity = (status.st_dev, status.st_ino)
        if identity in above:
            raise OSError(errno.ELOOP, "a link to a folder that it lies in")
        names = sorted(filter(is_complete, os.listdir(path))) if stat.S_ISDIR(status.st_mode) else None
    except OSError as error:
        if os.path.lexists(path):  # else removed since its folder was listed
            yield _faulty(
                root,
                day,
                path,
                f"{error.strerror or error}; mend or remove it, or allow this user to read it",
            )
        return
    if names is None:
        yield _landed(root, day, path, status)
        return
    for name in names:
        yield from _found(root, day, os.path.join(path, name), above | {identity})


def _landed(root: str, day: str, path: str, status: os.stat_result) -> LandedFile:
    if not stat.S_ISREG(status.st_mode):
        return _faulty(root, day, path, "it is neither a file nor a folder; remove it")
    if _printable(path) != path:
        return _faulty(root, day, path, "its name is not UTF-8; rename it")
    try:
        modified_at = _modified_at(status)
    except OverflowError:
        return _faulty(root, day, path, "its time of change is after the year 9999; `touch` it")
    return LandedFile(day, _relative(root, path), status.st_size, modified_at)


def _modified_at(status: os.stat_result) -> datetime:
    """OverflowError after the year 9999."""
    return EPOCH + timedelta(milliseconds=status.st_mtime_ns // 1_000_000)


def _faulty(root: str, day: str, path: str, fault: str) -> LandedFile:
    return LandedFile(day, _relative(root, path), 0, EPOCH, fault)


def _relative(root: str, path: str) -> str:
    return _printable(Path(path).relative_to(root).as_posix())


def _printable(name: str) -> str:
    """A name as text that can be stored: bytes that are not UTF-8 become escapes such as \\xe9."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
