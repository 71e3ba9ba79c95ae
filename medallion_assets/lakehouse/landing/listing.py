"""The landing area: which days it has, and which complete files. Their content is read by `reader.py`.

Here alone is decided what an area is kept on: a folder, or a store where the root is a URL.
"""

import re
from collections.abc import Collection
from datetime import date

from medallion_assets.lakehouse.landing.area import (
    Content,
    Entry,
    LandedFile,
    LandingArea,
    is_complete,
)
from medallion_assets.lakehouse.landing.folder import FolderArea, LocalContent
from medallion_assets.lakehouse.landing.store import StoreArea, StoredContent
from medallion_assets.lakehouse.storage.stores import is_url


def area_of(root: str) -> LandingArea:
    return StoreArea(root) if is_url(root) else FolderArea(root)


def content_at(path: str) -> Content:
    """The file at an absolute path or a URL, as Spark reads it."""
    return StoredContent(path) if is_url(path) else LocalContent(path)


def list_days(root: str, source: str) -> list[str]:
    """The days that have a folder, sorted. LandingError if the source cannot be listed."""
    entries = area_of(root).entries(source)
    return sorted(entry.name.removeprefix("date=") for entry in entries if _is_day_folder(entry))


def foreign_entries(root: str, source: str) -> list[str]:
    """What lies beside the day folders, sorted: nothing of it is ever read. LandingError as in `list_days`."""
    entries = area_of(root).entries(source)
    return sorted(entry.name for entry in entries if not _is_day_folder(entry) and is_complete(entry.name))


def list_files(root: str, source: str, days: Collection[str]) -> list[LandedFile]:
    """The complete files of these days, sorted by path; a day without a folder has none.

    Files whose name begins with `_` or `.`, or ends with an ending of UNFINISHED, are not complete. LandingError if the
    source cannot be listed: an unmounted disk must not look like an empty day. What else cannot be listed or told is a
    file with a fault.
    """
    area = area_of(root)
    existing = sorted(set(days) & set(list_days(root, source)))
    return sorted(area.files(source, existing), key=lambda file: file.path)


def has_changed(root: str, file: LandedFile) -> bool:
    """Whether a file is no longer as it was listed: somebody still writes it, or removed it."""
    return area_of(root).again(file) != file


def _is_day_folder(entry: Entry) -> bool:
    if not re.fullmatch(r"date=[0-9]{4}-[0-9]{2}-[0-9]{2}", entry.name):
        return False
    try:
        date.fromisoformat(entry.name.removeprefix("date="))
    except ValueError:
        return False
    return entry.is_folder
