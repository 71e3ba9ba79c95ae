"""Tries a session: its executors read a table that this process wrote, and write one that this process reads."""

import shutil
from uuid import uuid4

import pyarrow as pa
from deltalake import DeltaTable, write_deltalake
from deltalake.exceptions import DeltaError
from pyspark.sql import SparkSession

from medallion_assets.errors import MedallionError
from medallion_assets.lakehouse.spark import session
from medallion_assets.lakehouse.storage.lake import table_path
from medallion_assets.lakehouse.storage.stores import is_url

_ROWS = 10


class ProbeError(MedallionError):
    """The lake cannot be written, or what executors wrote is not what was read."""


def try_session(spark: SparkSession, root: str) -> None:
    """Writes, reads and deletes two small tables below the lake's root. Spark's error, delta-rs's, or ProbeError."""
    folder = table_path(root, f"_probe-{uuid4().hex}")
    ours, theirs = f"{folder}/ours", f"{folder}/theirs"
    try:
        write_deltalake(ours, pa.table({"number": list(range(_ROWS))}))
    except (OSError, DeltaError) as error:
        raise ProbeError(f"{root} cannot be written: {' '.join(str(error).split())[:300]}") from error
    try:
        spark.read.format("delta").load(ours).write.format("delta").save(theirs)
        found = DeltaTable(theirs).to_pyarrow_table().num_rows
    finally:
        if is_url(folder):
            session.delete(spark, folder)
        else:
            shutil.rmtree(folder, ignore_errors=True)
    if found != _ROWS:
        raise ProbeError(f"executors wrote {found} of {_ROWS} rows of {theirs}")
