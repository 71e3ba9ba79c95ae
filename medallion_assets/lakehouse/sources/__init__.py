"""Sources that are followed rather than landed: what is new in them since an offset.

`observe` is for sensors: no JVM, no data. `pull` gives the rows.
"""

from contextlib import AbstractContextManager

from pyspark.sql import SparkSession

from medallion_assets.contracts.bronze import FollowDelta, FollowTable
from medallion_assets.contracts.watermark import SourceOffset
from medallion_assets.lakehouse.sources import delta_source, postgres_source
from medallion_assets.lakehouse.sources.base import Batch

Followed = FollowDelta | FollowTable


def observe(source: Followed, since: SourceOffset | None) -> SourceOffset:
    """How far the source reaches now; equal to `since` where nothing is new. SourceError if it cannot tell."""
    if isinstance(source, FollowDelta):
        return delta_source.observe(source, since)
    return postgres_source.observe(source, since)


def pull(spark: SparkSession, source: Followed, since: SourceOffset | None) -> AbstractContextManager[Batch]:
    """What is new since the offset, or everything; the rows can be read within the context."""
    if isinstance(source, FollowDelta):
        return delta_source.pull(spark, source, since)
    return postgres_source.pull(spark, source, since)
