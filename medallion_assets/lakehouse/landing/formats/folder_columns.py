"""Folders `key=value` below a day are columns of the files in them, as Hive and Spark write them."""

import re
from collections.abc import Collection
from functools import reduce
from urllib.parse import unquote

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from medallion_assets.contracts.column_identity import column_key
from medallion_assets.contracts.technical_columns import SOURCE_FILE
from medallion_assets.lakehouse.landing.column_names import clean_name
from medallion_assets.lakehouse.spark.expressions import quoted

NULL_VALUE = "__HIVE_DEFAULT_PARTITION__"


def folder_columns(path: str) -> list[str]:
    """The columns that the folders of a landed file give it. Needs: its path relative to the landing root."""
    return list(dict.fromkeys(clean_name(unquote(key), 1) for key in _keys(path)))


def with_folder_columns(frame: DataFrame, paths: Collection[str]) -> DataFrame:
    """Adds: a column of text for each key. A value that a record itself has of this column stays.

    Needs: `_source_file`, relative to the landing root. The paths are those of all files that may be in it.
    """
    keys = dict.fromkeys(key for path in paths for key in _keys(path))
    return reduce(_with_folder_column, keys, frame)


def _keys(path: str) -> list[str]:
    folders = path.partition("/date=")[2].split("/")[1:-1]
    return [folder.partition("=")[0] for folder in folders if "=" in folder[1:]]


def _with_folder_column(frame: DataFrame, key: str) -> DataFrame:
    name = clean_name(unquote(key), 1)
    own = next((column for column in frame.columns if column_key(column) == column_key(name)), None)
    value = _value(key)
    return frame.withColumn(own or name, F.coalesce(quoted(own), value) if own else value)


def _value(key: str) -> Column:
    folder = rf"/date=[0-9-]+/(?:[^/]*/)*?{re.escape(key)}=([^/]*)/"
    raw = F.nullif(F.regexp_extract(SOURCE_FILE, folder, 1), F.lit(""))
    raw = F.nullif(raw, F.lit(NULL_VALUE))
    # As in URIs, but that a plus is a plus. What is no escape stays as it is.
    return F.coalesce(F.try_url_decode(F.replace(raw, F.lit("+"), F.lit("%2B"))), raw)
