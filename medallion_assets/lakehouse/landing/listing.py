"""The landing folder: which days it has, and which complete files. Their content is read by `reader.py`."""

import errno
import os
import re
import stat
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from pathlib import Path

from medallion_assets.contracts.file_identity import Identity
from medallion_assets.errors import MedallionError

UNFINISHED = (".part", ".tmp")
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


class LandingError(MedallionError):
    """A landing folder is missing or cannot be listed. The message names it and says how to fix it."""


@dataclass(frozen=True)
class LandedFile:
    """One landed file. Path, size and time of change together are its identity.

    path: relative to the landing root
    size: bytes
    modified_at: UTC, in whole milliseconds as Spark gives them, so that rows and listings agree
    fault: why it cannot be read, as far as its folder tells. A folder with a fault stands for all files in it.
    """

    day: str
    path: str
    size: int
    modified_at: datetime
    fault: str = ""

    @property
    def identity(self) -> Identity:
        return (self.size, self.modified_at.isoformat())


def list_days(root: str, source: str) -> list[str]:
    """The days that have a folder, sorted. LandingError if the source cannot be listed."""
    entries = _entries(_source_folder(root, source))
    return sorted(entry.name.removeprefix("date=") for entry in entries if _is_day_folder(entry))


def foreign_entries(root: str, source: str) -> list[str]:
    """What lies beside the day folders, sorted: nothing of it is ever read. LandingError as in `list_days`."""
    entries = _entries(_source_folder(root, source))
    names = [entry.name for entry in entries if not _is_day_folder(entry) and _is_complete(entry.name)]
    return sorted(map(_printable, names))


def list_files(root: str, source: str, days: Collection[str]) -> list[LandedFile]:
    """The complete files of these days, sorted by path; a day without a folder has none.

    Files whose name begins with `_` or `.`, or ends with an ending of UNFINISHED, are not complete. LandingError if the
    source cannot be listed: an unmounted disk must not look like an empty day. What else cannot be listed or told is a
    file with a fault.
    """
    folder = _source_folder(root, source)
    existing = sorted(set(days) & set(list_days(root, source)))
    files = [file for day in existing for file in _found(root, day, os.path.join(folder, f"date={day}"))]
    return sorted(files, key=lambda file: file.path)


def has_changed(root: str, file: LandedFile) -> bool:
    """Whether a file is no longer as it was listed: somebody still writes it, or removed it."""
    path = os.path.join(root, file.path)
    try:
        return _landed(root, file.day, path, os.stat(path)) != file
    except OSError:
        return True


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


def _is_day_folder(entry: os.DirEntry[str]) -> bool:
    """A link counts wherever it leads: a disk that is not mounted must not look like an empty day."""
    if not re.fullmatch(r"date=[0-9]{4}-[0-9]{2}-[0-9]{2}", entry.name):
        return False
    try:
        date.fromisoformat(entry.name.removeprefix("date="))
    except ValueError:
        return False
    return entry.is_symlink() or entry.is_dir()


def _is_complete(name: str) -> bool:
    return not name.startswith(("_", ".")) and not name.endswith(UNFINISHED)


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
        names = sorted(filter(_is_complete, os.listdir(path))) if stat.S_ISDIR(status.st_mode) else None
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
        modified_at = EPOCH + timedelta(milliseconds=status.st_mtime_ns // 1_000_000)
    except OverflowError:
        return _faulty(root, day, path, "its time of change is after the year 9999; `touch` it")
    return LandedFile(day, _relative(root, path), status.st_size, modified_at)


def _faulty(root: str, day: str, path: str, fault: str) -> LandedFile:
    return LandedFile(day, _relative(root, path), 0, EPOCH, fault)


def _relative(root: str, path: str) -> str:
    return _printable(Path(path).relative_to(root).as_posix())


def _printable(name: str) -> str:
    """A name as text that can be stored: bytes that are not UTF-8 become escapes such as \\xe9."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
