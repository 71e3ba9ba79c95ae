"""Which format a file has, by its ending. `sniff` looks at the beginning of the file and says how to read it.

A file `<name>_format.py` in this folder is all that a new format needs: its SNIFFERS are found here.
"""

import os
from collections.abc import Callable, Collection
from importlib import import_module
from pkgutil import iter_modules

from medallion_assets.lakehouse.landing import formats
from medallion_assets.lakehouse.landing.area import Content
from medallion_assets.lakehouse.landing.column_names import UnreadableFile
from medallion_assets.lakehouse.landing.formats.layout import Layout

Sniffer = Callable[[Content, Collection[str]], Layout | None]
"""File, columns of which a file must have one (none: any file will do) -> the layout, None without records."""


def _sniffers() -> dict[str, Sniffer]:
    names = [module.name for module in iter_modules(formats.__path__) if module.name.endswith("_format")]
    modules = [import_module(f"{formats.__name__}.{name}") for name in names]
    return {ending: sniffer for module in modules for ending, sniffer in module.SNIFFERS.items()}


SNIFFERS = _sniffers()
"""Ending of a file name -> the function that makes a layout of such a file."""

PACKED = (".zip", ".gz", ".tgz", ".tar", ".7z", ".rar", ".bz2", ".xz", ".zst", ".lz4", ".snappy")


def sniff(file: Content, required: Collection[str] = ()) -> Layout | None:
    """The layout of a file; None if it has no records. UnreadableFile or OSError if it cannot be read."""
    path = file.path
    if ":" in os.path.basename(path):
        raise UnreadableFile("Spark reads no file with a colon in its name; rename it")
    if path.lower().endswith(".gz") and not path.endswith(".gz"):
        raise UnreadableFile("Spark unzips only what ends in .gz, in small letters; rename it")
    for ending, sniff_format in SNIFFERS.items():
        if path.lower().endswith(ending):
            return sniff_format(file, required)
    if path.lower().endswith(PACKED):
        raise UnreadableFile("it is packed in a way that is not read; land it unpacked, or in gzip")
    raise UnreadableFile(f"unknown ending; name the file by its format: {', '.join(SNIFFERS)}")
