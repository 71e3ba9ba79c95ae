"""Objects of a store by their URLs: list, read, and write by a conditional put. For what is no table.

s3:// (also as s3a://), gs:// and abfss:// by the variables that delta-rs reads, too, such as AWS_ACCESS_KEY_ID. What
fails on the way is tried ten times within three minutes.
"""

import errno
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, PreconditionError
from obstore.store import from_url

from medallion_assets.errors import MedallionError

_VARIABLES = ("AWS_", "AZURE_", "GOOGLE_")
_TRANSIENT = re.compile(r"status code (?:429|5\d\d) |HTTP error |operation timed out")
_BROKEN_OFF = re.compile(r"response body error|416 Range Not Satisfiable")
_REFUSED = re.compile(r"status code 40[13] |InvalidAccessKeyId|SignatureDoesNotMatch|ExpiredToken")
_NO_CREDENTIALS = re.compile(r"/latest/api/token|/security-credentials|metadata\.google|IMDS|identity/oauth2")


class StoreError(MedallionError):
    """A store says no. The message names the URL and says what to do."""


class StoreUnreachable(StoreError):
    """A store does not answer, or is too busy, for longer than requests are repeated."""

    retryable = True


@dataclass(frozen=True)
class StoredObject:
    """path: within its bucket; modified_at: UTC, in whole seconds; version: another one for each content."""

    path: str
    size: int
    modified_at: datetime
    version: str

    @classmethod
    def of(cls, meta: Mapping[str, Any]) -> "StoredObject":
        # A listing has milliseconds in some stores, while a single object has whole seconds, as Spark has them.
        whole = meta["last_modified"].replace(microsecond=0)
        return cls(meta["path"], meta["size"], whole, meta["e_tag"] or meta["version"] or "")


def is_url(place: str) -> bool:
    """Whether a place is on a store; else it is a folder."""
    return "://" in place


def is_transient(text: str) -> bool:
    """Whether an error of a store, of delta-rs's too, may pass: it was too busy, or the network failed."""
    return bool(_TRANSIENT.search(_plain(text))) and not _NO_CREDENTIALS.search(text)


def list_folder(url: str) -> tuple[list[str], list[StoredObject]]:
    """The names of the folders, and the objects, directly below a URL. StoreError."""
    with _told(url):
        store, path = _find(url)
        found = obstore.list_with_delimiter(store, path)
    names = [prefix.rpartition("/")[2] for prefix in found["common_prefixes"]]
    return names, _objects(found["objects"], path)


def list_below(url: str) -> list[StoredObject]:
    """All objects below a URL, however deep. StoreError."""
    with _told(url):
        store, path = _find(url)
        return [one for batch in obstore.list(store, path) for one in _objects(batch, path)]


def find_object(url: str) -> StoredObject | None:
    """None where there is none. StoreError."""
    try:
        with _told(url):
            return StoredObject.of(obstore.head(*_find(url)))
    except FileNotFoundError:
        return None


def read_range(url: str, start: int, size: int) -> bytes:
    """Some bytes of an object. StoreError; FileNotFoundError."""
    with _told(url):
        store, path = _find(url)
        return bytes(obstore.get_range(store, path, start=start, length=size))


def read_with_version(url: str) -> tuple[bytes, str] | None:
    """All bytes of an object, and its version; None where there is none. StoreError."""
    try:
        with _told(url):
            return _whole(*_find(url))
    except FileNotFoundError:
        return None


def write(url: str, content: bytes) -> None:
    """StoreError."""
    with _told(url):
        obstore.put(*_find(url), content)


def write_if(url: str, content: bytes, version: str | None) -> str | None:
    """Writes where the object still has this version (None: where there is none), by one conditional put.

    Returns: the new version; None where somebody was quicker. StoreError.
    """
    with _told(url):
        store, path = _find(url)
        try:
            done = obstore.put(store, path, content, mode={"e_tag": version} if version else "create")
        except (AlreadyExistsError, PreconditionError):
            return None
        return done["e_tag"] or ""


def _whole(store: Any, path: str, tries: int = 5) -> tuple[bytes, str]:
    """Read again where the rest does not come: the object may have been replaced meanwhile."""
    try:
        found = obstore.get(store, path)
        return bytes(found.bytes()), StoredObject.of(found.meta).version
    except BaseError as error:
        if tries == 1 or not _BROKEN_OFF.search(str(error)):
            raise
    return _whole(store, path, tries - 1)


def _objects(found: Any, folder: str) -> list[StoredObject]:
    """Without the object by which consoles mark an empty folder."""
    return [one for one in map(StoredObject.of, found) if one.path != folder]


def _find(url: str) -> tuple[Any, str]:
    """The store of a bucket, and the path in it."""
    parts = urlsplit(url, allow_fragments=False)
    known = sorted((n, v) for n, v in os.environ.items() if n.startswith(_VARIABLES))
    path = url.partition("://")[2].removeprefix(parts.netloc).strip("/")
    return _bucket(f"{parts.scheme}://{parts.netloc}", tuple(known)), path


@lru_cache
def _bucket(url: str, _environment: tuple[tuple[str, str], ...]) -> Any:
    return from_url(url)


@contextmanager
def _told(url: str) -> Iterator[None]:
    """FileNotFoundError passes, but of a bucket."""
    try:
        yield
    except (BaseError, FileNotFoundError, PermissionError) as error:
        text = str(error)
        if isinstance(error, FileNotFoundError) and "NoSuchBucket" not in text:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), url) from error
        kind = StoreUnreachable if is_transient(text) else StoreError
        raise kind(f"{url}: {_problem(text)}") from error


def _plain(text: str) -> str:
    """In one line. delta-rs breaks it at each colon, with a coloured arrow."""
    return " ".join(re.sub(r"\x1b\[\d+m|[:↳]", " ", text).split())


def _problem(text: str) -> str:
    if "NoSuchBucket" in text:
        return "its bucket is not there: create it, or correct the URL"
    if _NO_CREDENTIALS.search(text):
        return (
            "no credentials were found: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (or those of the other store), "
            "or let this machine have a role"
        )
    if _REFUSED.search(_plain(text)):
        return (
            "the store refuses these credentials: correct AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (or those of the "
            "other store), or allow them to list, read and write there"
        )
    said = re.split(r"\s*Debug source:", text, maxsplit=1)[0]
    return f"the store does not do it ({' '.join(said.split())[:300]}): see AWS_ENDPOINT_URL and the network"
