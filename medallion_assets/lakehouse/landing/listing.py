"""The landing folder: which days it has, and which complete files. Their content is read by `reader.py`."""

import os
import re
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from pathlib import Path

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
    """

    day: str
    path: str
    size: int
    modified_at: datetime


def list_days(root: str, source: str) -> list[str]:
    """The days that have a folder, sorted. LandingError if the source cannot be listed."""
    names = (entry.name for entry in _entries(_source_folder(root, source)) if entry.is_dir())
    return sorted(name.removeprefix("date=") for name in names if _is_day_folder(name))


def list_files(root: str, source: str, days: Collection[str]) -> list[LandedFile]:
    """The complete files of these days, sorted by path; a day without a folder has none.

    Files whose name begins with `_` or `.`, or ends with an ending of UNFINISHED, are not complete. LandingError if the
    source cannot be listed: an unmounted disk must not look like an empty day.
    """
    folder = _source_folder(root, source)
    existing = sorted(set(days) & set(list_days(root, source)))
    files = [file for day in existing for file in _files(root, day, os.path.join(folder, f"date={day}"))]
    return sorted(files, key=lambda file: file.path)


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


def _is_day_folder(name: str) -> bool:
    if not re.fullmatch(r"date=\d{4}-\d{2}-\d{2}", name):
        return False
    try:
        date.fromisoformat(name.removeprefix("date="))
    except ValueError:
        return False
    return True


def _files(root: str, day: str, folder: str) -> Iterator[LandedFile]:
    for entry in _entries(folder):
        if entry.name.startswith(("_", ".")) or entry.name.endswith(UNFINISHED):
            continue
        if entry.is_dir():
            yield from _files(root, day, entry.path)
        else:
            with suppress(FileNotFoundError):  # removed since it was listed
                status = entry.stat()
                modified_at = EPOCH + timedelta(milliseconds=status.st_mtime_ns // 1_000_000)
                path = Path(entry.path).relative_to(root).as_posix()
                yield LandedFile(day, path, status.st_size, modified_at)
