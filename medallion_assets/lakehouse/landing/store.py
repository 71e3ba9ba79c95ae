"""A landing area on an object store, which lists a file once it is written whole."""

import errno
import io
import os
import shutil
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote

from medallion_assets.lakehouse.landing.area import (
    Content,
    Entry,
    LandedFile,
    LandingArea,
    LandingError,
    are_complete,
)
from medallion_assets.lakehouse.storage import stores
from medallion_assets.lakehouse.storage.stores import StoredObject, StoreError, StoreUnreachable

_BLOCK = 2**20
"""Bytes that a request reads, unless more are asked for."""
_FEW = 10


class LandingUnreachable(LandingError):
    """The store does not answer."""

    retryable = True


class StoreArea(LandingArea):
    """A day is there as long as a file is in its folder.

    root: a URL such as s3://bucket/landing
    """

    def __init__(self, root: str):
        self.root = root.rstrip("/")

    @property
    def above(self) -> str:
        """Without the scheme: s3:// and s3a:// are one."""
        return f"{self.root.partition('://')[2]}/"

    def entries(self, source: str) -> list[Entry]:
        with _as_landing():
            folders, objects = stores.list_folder(self._url(source))
        if not folders and not objects:
            raise LandingError(
                f"Nothing lies at {self._url(source)}: land a file there, or correct MEDALLION_LANDING"
            )
        files = [Entry(one.path.rpartition("/")[2], False) for one in objects]
        return [*(Entry(name, True) for name in folders), *files]

    def files(self, source: str, days: Collection[str]) -> Iterator[LandedFile]:
        """Of a few days, day by day; else all of the source at once, a thousand files a request."""
        folders = [f"{source}/date={day}" for day in days] if len(days) <= _FEW else [source]
        with _as_landing():
            found = [one for folder in folders for one in stores.list_below(self._url(folder))]
        for one in found:
            path = self._relative(one)
            folder, *names = path.removeprefix(f"{source}/").split("/")
            day = folder.removeprefix("date=")
            # Without a name it is the mark of an empty folder.
            if names and day in days and are_complete(names):
                yield _landed(day, path, one)

    def again(self, file: LandedFile) -> LandedFile | None:
        with _as_landing():
            found = stores.find_object(self._url(file.path))
        return found and _landed(file.day, file.path, found)

    def content(self, path: str) -> Content:
        return StoredContent(self._url(path))

    def write(self, path: str, content: bytes) -> bool:
        url = self._url(path)
        found = stores.read_with_version(url)
        if found and found[0] == content:
            return False
        stores.write(url, content)
        return True

    def _url(self, path: str) -> str:
        return f"{self.root}/{path}"

    def _relative(self, one: StoredObject) -> str:
        within_bucket = self.above.partition("/")[2]
        return one.path.removeprefix(within_bucket)


class StoredContent(Content):
    """An object, asked about once."""

    def __init__(self, path: str):
        self.path = path

    @property
    def uri(self) -> str:
        return quote(self.path, safe="/:+")

    @property
    def size(self) -> int:
        return self._found.size

    @property
    def modified_at(self) -> datetime:
        return self._found.modified_at

    def open(self) -> BinaryIO:
        return io.BufferedReader(_Bytes(self.path, self.size), _BLOCK)

    @contextmanager
    def as_file(self) -> Iterator[str]:
        with tempfile.TemporaryDirectory() as folder, self.open() as opened:
            copy = Path(folder, self.path.rpartition("/")[2])
            with copy.open("wb") as file:
                shutil.copyfileobj(opened, file, _BLOCK)
            yield str(copy)

    @cached_property
    def _found(self) -> StoredObject:
        with _as_landing():
            found = stores.find_object(self.path)
        if found is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), self.path)
        return found


class _Bytes(io.RawIOBase):
    """An object, read by ranges."""

    def __init__(self, url: str, size: int):
        self._url, self._size, self._at = url, size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        return self._at

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]
        size = max(min(len(buffer), self._size - self._at), 0)
        if size:
            with _as_landing():
                buffer[:size] = stores.read_range(self._url, self._at, size)
        self._at += size
        return size


def _landed(day: str, path: str, one: StoredObject) -> LandedFile:
    return LandedFile(day, path, one.size, one.modified_at, version=one.version)


@contextmanager
def _as_landing() -> Iterator[None]:
    try:
        yield
    except StoreUnreachable as error:
        raise LandingUnreachable(str(error)) from error
    except StoreError as error:
        raise LandingError(str(error)) from error
