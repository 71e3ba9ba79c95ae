"""Systems that are followed instead of landed: what is new in them since an offset. One file a kind of source.

A file `<kind>_source.py` in this folder is all that a new kind needs beside its contract: it fulfils `base.Source`.
What becomes of the rows belongs to `bronze`.
"""

from contextlib import AbstractContextManager
from importlib import import_module
from pkgutil import iter_modules
from typing import cast

from pyspark.sql import Column, DataFrame, SparkSession

from medallion_assets.contracts.table import WritePolicy
from medallion_assets.contracts.watermark import SourceOffset
from medallion_assets.lakehouse.sources.base import Batch, Compared, Source


def _modules() -> list[Source]:
    names = [module.name for module in iter_modules(__path__) if module.name.endswith("_source")]
    return [cast(Source, import_module(f"{__name__}.{name}")) for name in names]


SOURCES = {module.CONTRACT: module for module in _modules()}
"""Type of contract -> the module that reads such a source."""


def observe(source: WritePolicy, since: SourceOffset | None) -> SourceOffset:
    """How far the source reaches now; equal to `since` where nothing is new. SourceError if it cannot tell.

    For sensors: no JVM, no data.
    """
    return SOURCES[type(source)].observe(source, since)


def pull(
    spark: SparkSession, source: WritePolicy, since: SourceOffset | None
) -> AbstractContextManager[Batch]:
    """What is new since the offset, or (None) everything; the rows can be read within the context. SourceError."""
    return SOURCES[type(source)].pull(spark, source, since)


def against(source: WritePolicy, stored: DataFrame, batch: Batch, since: SourceOffset | None) -> Compared:
    """The batch beside `stored`, bronze's rows."""
    return SOURCES[type(source)].against(source, stored, batch, since)


def as_offset(source: WritePolicy, text: str) -> SourceOffset:
    """What a person gave as the watermark to read from. SourceError that says what is wanted."""
    return SOURCES[type(source)].as_offset(source, text)


def label(source: WritePolicy, since: SourceOffset | None) -> str:
    """What the name of a batch says of where it begins."""
    return SOURCES[type(source)].label(source, since)


def changed_at(source: WritePolicy) -> Column:
    """When a row of a batch was changed, as a timestamp."""
    return SOURCES[type(source)].changed_at(source)
