"""Opens Delta tables for delta-rs, after a look at the last commit: one without content is no commit."""

import os
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pyarrow.dataset as ds
from deltalake import DeltaTable
from deltalake.exceptions import TableNotFoundError
from pyarrow.fs import LocalFileSystem, SubTreeFileSystem

from medallion_assets.errors import MedallionError
from medallion_assets.lakehouse.storage.stores import is_url


class TornCommit(MedallionError):
    """The last commit of a table was never written out, as after a power cut. To delta-rs it changes nothing."""


def open_table(path: str, version: int | None = None) -> DeltaTable:
    """The table at a version, or (None) now. TornCommit; delta-rs's errors where table or version is missing."""
    check_last_commit(path)
    return DeltaTable(path, version=version)


def find_table(path: str) -> DeltaTable | None:
    """The table now; None where there is none. TornCommit."""
    try:
        return open_table(path)
    except TableNotFoundError:
        return None


def table_exists(path: str) -> bool:
    """Whether there is a Delta table. TornCommit."""
    check_last_commit(path)
    return DeltaTable.is_deltatable(path)


def dataset_of(table: DeltaTable) -> ds.Dataset:
    """The files of a version of the table, for Arrow to scan.

    A local lake is read by Arrow's own file system. Through delta-rs's, which is Python, what a scan leaves to tidy up
    may need a Python that has ended: such a process dies with "terminate called without an active exception".
    """
    place = urlsplit(table.table_uri)
    if place.scheme != "file":
        return table.to_pyarrow_dataset()
    return table.to_pyarrow_dataset(filesystem=SubTreeFileSystem(unquote(place.path), LocalFileSystem()))


def check_last_commit(path: str) -> None:
    """TornCommit where the file of the last commit is empty. Not looked at on an object store, which writes whole."""
    log = Path(path) / "_delta_log"
    if is_url(path) or not log.is_dir():
        return
    last = max(
        (name for name in os.listdir(log) if name.endswith(".json") and name[:-5].isdigit()), default=""
    )
    if last and not (log / last).stat().st_size:
        raise TornCommit(
            f"{log / last} is empty: a power cut or a full disk tore this commit. Remove all files of that folder that "
            f"have {last[:-5]} in their names, hidden ones too: the table is as it was one commit before, and the next "
            "run writes again what is missing"
        )
