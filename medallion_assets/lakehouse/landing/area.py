"""What a landing area is, whatever it is kept on: its days, its complete files, and their content.

Everything else asks an area and a file: only `listing.py` knows which kinds of them there are.
"""

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import BinaryIO

from medallion_assets.contracts.file_identity import Identity
from medallion_assets.errors import MedallionError

UNFINISHED = (".part", ".tmp")


class LandingError(MedallionError):
    """A landing folder is missing or cannot be listed. The message names it and says how to fix it."""


@dataclass(frozen=True)
class LandedFile:
    """One landed file. Path, size and time of change together are its identity.

    path: relative to the landing root
    size: bytes
    modified_at: UTC, in whole milliseconds as Spark gives them, so that rows and listings agree
    fault: why it cannot be read, as far as its folder tells. A folder with a fault stands for all files in it.
    version: on a store, what tells one content from another while it is read
    """

    day: str
    path: str
    size: int
    modified_at: datetime
    fault: str = ""
    version: str = field(default="", repr=False)

    @property
    def identity(self) -> Identity:
        return (self.size, self.modified_at.isoformat())


@dataclass(frozen=True)
class Entry:
    """What lies directly below a source."""

    name: str
    is_folder: bool


class Content(ABC):
    """The bytes of one file.

    path: absolute, or a URL, as Spark reads it
    """

    path: str

    @property
    @abstractmethod
    def uri(self) -> str:
        """As Spark's file metadata have it."""

    @property
    @abstractmethod
    def size(self) -> int:
        """Bytes. OSError."""

    @property
    @abstractmethod
    def modified_at(self) -> datetime:
        """As Spark's file metadata have it. OSError."""

    @abstractmethod
    def open(self) -> BinaryIO:
        """OSError; LandingError of a store."""

    @abstractmethod
    def as_file(self) -> AbstractContextManager[str]:
        """The path of a file on this machine that has the bytes, and the name. Errors as of `open`."""


class LandingArea(ABC):
    """Sources, each with folders of days.

    root: as it was set
    """

    root: str

    @property
    @abstractmethod
    def above(self) -> str:
        """What stands before a landed file's own path in Spark's URIs, once these are decoded."""

    @abstractmethod
    def entries(self, source: str) -> list[Entry]:
        """What lies below a source. LandingError."""

    @abstractmethod
    def files(self, source: str, days: Collection[str]) -> Iterable[LandedFile]:
        """The complete files of days that have a folder, in any order. What cannot be told is a file with a fault.

        LandingError of a store.
        """

    @abstractmethod
    def again(self, file: LandedFile) -> LandedFile | None:
        """The file as it is now; None where it is gone."""

    @abstractmethod
    def content(self, path: str) -> Content:
        """Of the file at a path relative to the root."""

    @abstractmethod
    def write(self, path: str, content: bytes) -> bool:
        """Lands a file as a whole; False where it is there with this content."""


def is_complete(name: str) -> bool:
    return not name.startswith(("_", ".")) and not name.endswith(UNFINISHED)


def are_complete(names: Collection[str]) -> bool:
    return all(map(is_complete, names))
