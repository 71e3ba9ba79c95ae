"""Many changes that all bring a new key: nothing is to be resolved, so nothing is joined, sorted or kept once more."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from medallion_assets.lakehouse.silver.merge.key_ranges import in_ranges, key_ranges
from medallion_assets.lakehouse.silver.merge.resolution import keys_of
from medallion_assets.lakehouse.silver.run import MergeMode, SilverRun


def bring_only_new_keys(run: SilverRun, changes: DataFrame) -> bool:
    """Whether no change is a delete, no key comes twice, and none is stored or may have been purged.

    A rebuild forgets what is stored. Two keys with one hash of 64 bits count as one that comes twice.
    """
    if (
        (run.restated and run.mode is MergeMode.UPDATE)
        or run.horizon is not None
        or run.table.write.keeps_versions
    ):
        return False
    keys = keys_of(run.table)
    counts = [F.count("*"), F.count_distinct(F.xxhash64(*keys)), F.count_if("_is_delete")]
    ((rows, different, deletes),) = changes.agg(*counts).collect()
    return rows == different > 0 == deletes and not _any_is_stored(run, changes)


def _any_is_stored(run: SilverRun, changes: DataFrame) -> bool:
    table = run.table
    if run.mode is MergeMode.REBUILD or not run.lake.exists(table.key):
        return False
    ranges = key_ranges(run.lake, table, changes)
    stored = run.lake.read(table.key).where(in_ranges(table, ranges)).select(*keys_of(table))
    return not stored.join(changes.select(*keys_of(table)), list(table.merge_keys), "left_semi").isEmpty()
