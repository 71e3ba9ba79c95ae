"""Sources that are followed rather than landed: what is new in them since a mark.

`observe` is for sensors: no JVM, no data. `pull` gives the rows.
"""

from contextlib import AbstractContextManager

from pyspark.sql import SparkSession

from medallion_assets.contracts.table import FollowDelta, FollowTable
from medallion_assets.lakehouse.sources import delta, postgres
from medallion_assets.lakehouse.sources.marks import Batch, Mark

Followed = FollowDelta | FollowTable


def observe(source: Followed, since: Mark | None) -> Mark:
    """How far the source reaches now; equal to `since` where nothing is new. SourceError if it cannot tell."""
    if isinstance(source, FollowDelta):
        return delta.observe(source, since)
    return postgres.observe(source, since)


def pull(spark: SparkSession, source: Followed, since: Mark | None) -> AbstractContextManager[Batch]:
    """What is new since the mark, or everything; the rows can be read within the context."""
    if isinstance(source, FollowDelta):
        return delta.pull(spark, source, since)
    return postgres.pull(spark, source, since)
