"""A Kafka topic, followed by its offsets: a batch is what lies between two of them, the same whenever it is read.

An offset's value is the next offset of each partition as JSON, its count their sum, its token the topic's id: where a
topic was deleted and made anew, the same offsets are other messages. Offsets of aborted messages, of marks of
transactions and of messages that were compacted away are passed over, so that a batch may have fewer rows than offsets.
"""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import reduce
from math import ceil
from operator import or_

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from medallion_assets.contracts.bronze import FollowTopic
from medallion_assets.contracts.technical_columns import MESSAGE
from medallion_assets.contracts.watermark import SourceOffset
from medallion_assets.lakehouse.sources.base import Batch, Compared, SourceError
from medallion_assets.lakehouse.sources.kafka_client import (
    Offsets,
    TopicState,
    begin_offsets,
    shown,
    spark_options,
    topic_state,
)
from medallion_assets.lakehouse.spark.expressions import no_rows, quoted

CONTRACT = FollowTopic


def observe(source: FollowTopic, since: SourceOffset | None) -> SourceOffset:
    """The end of the topic. SourceError where what came since can no longer be read, as `pull`."""
    state = topic_state(source)
    start_offsets(source, since, state)
    return offset_at(state.topic_id, state.ends)


@contextmanager
def pull(spark: SparkSession, source: FollowTopic, since: SourceOffset | None) -> Iterator[Batch]:
    """At most `batch_messages` offsets since an offset, or (None) since the contract's beginning.

    Returns: the columns of `technical_columns.MESSAGE`. SourceError where messages were removed before they were read,
    where the topic is another one by now, or lost partitions.
    """
    state = topic_state(source)
    start = start_offsets(source, since, state)
    until = _shares(source.batch_messages, start, state.ends)
    rows = _rows(spark, source, start, until).withColumn("topic_id", F.lit(state.topic_id))
    offset, waiting = offset_at(state.topic_id, until), sum(until.values()) - sum(start.values())
    yield Batch(rows, offset, exact=False, more=until != state.ends, at_most=waiting)


def against(source: FollowTopic, stored: DataFrame, batch: Batch, since: SourceOffset | None) -> Compared:
    """The messages after the last one of their partition that `stored` has: a run may have ended before it said so."""
    topic_id = batch.offset.state_token
    newer = F.col("topic_id") == topic_id
    if since and since.state_token == topic_id:
        starts = _offsets_of(since)
        after = [(F.col("partition") == p) & (F.col("offset") >= offset) for p, offset in starts.items()]
        newer = newer & reduce(or_, [*after, ~F.col("partition").isin([*starts])])
    ends = stored.where(newer).groupBy("partition").agg(F.max("offset").alias("last")).collect()
    held = [(F.col("partition") == row["partition"]) & (F.col("offset") <= row["last"]) for row in ends]
    until = _offsets_of(batch.offset)
    is_last = all(row["last"] < until.get(row["partition"], 0) for row in ends)
    return Compared(batch.rows.where(~reduce(or_, held)) if held else batch.rows, is_last)


def changed_at(source: FollowTopic) -> Column:
    """When the message was made, or came to the broker."""
    return F.col("timestamp")


def as_offset(source: FollowTopic, text: str) -> SourceOffset:
    """The next offset of each partition."""
    try:
        return offset_at("", {int(partition): int(at) for partition, at in json.loads(text).items()})
    except (ValueError, TypeError, AttributeError):
        raise SourceError('give the next offset of each partition, such as {"0": 1200, "1": 1187}') from None


def label(source: FollowTopic, since: SourceOffset | None) -> str:
    """Of the first batch `start`, then the sum of the offsets that were read before, with the topic's id."""
    return f"{re.sub(r'[^0-9A-Za-z]', '-', since.state_token[:8])}.{since.row_count}" if since else "start"


def offset_at(topic_id: str, offsets: Offsets) -> SourceOffset:
    text = json.dumps({str(partition): offset for partition, offset in sorted(offsets.items())})
    return SourceOffset(text, row_count=sum(offsets.values()), state_token=topic_id)


def is_at_least(reached: SourceOffset, other: SourceOffset) -> bool:
    """Whether each partition was read as far as the other offset says, or further."""
    far = _offsets_of(reached)
    return all(far.get(partition, 0) >= at for partition, at in _offsets_of(other).items())


def _offsets_of(offset: SourceOffset) -> dict[int, int]:
    return {int(partition): at for partition, at in json.loads(offset.value).items()}


def start_offsets(source: FollowTopic, since: SourceOffset | None, state: TopicState) -> Offsets:
    """The next offset of each partition; new partitions are read from their beginning. SourceError, as `pull`."""
    if since is None:
        return begin_offsets(source, state)
    start = _offsets_of(since)
    if since.state_token not in ("", state.topic_id):
        raise SourceError(
            f"{shown(source)} was deleted and made anew: it was followed with the id {since.state_token} and has the "
            f"id {state.topic_id}: run the job reset_watermark to read the new one from its beginning"
        )
    if gone := sorted(start.keys() - state.ends.keys()):
        raise SourceError(
            f"{shown(source)} lost the partitions {', '.join(map(str, gone))}: correct `topic` or `servers`, or run "
            "the job reset_watermark to read it from its beginning"
        )
    lost = [f"partition {p}: [{at}, {state.begins[p]})" for p, at in start.items() if at < state.begins[p]]
    if lost:
        reached = offset_at(
            state.topic_id, {**state.begins, **{p: max(at, state.begins[p]) for p, at in start.items()}}
        )
        raise SourceError(
            f"{shown(source)} removed messages before they were read, {'; '.join(lost)}: to go on without them, run "
            f"the job reset_watermark with the watermark {reached.value}; keep messages longer (retention.ms)"
        )
    ahead = [f"partition {p}: {at} and {state.ends[p]}" for p, at in start.items() if at > state.ends[p]]
    if ahead:
        raise SourceError(
            f"{shown(source)} ends before it was read to, {'; '.join(ahead)}: its log was cut; run the job "
            "reset_watermark to read it from its beginning"
        )
    return {**state.begins, **start}


def _shares(limit: int, start: Offsets, ends: Offsets) -> dict[int, int]:
    """Where a batch ends: at the end of the topic, or each partition by its share of the limit."""
    waiting = sum(ends[partition] - start[partition] for partition in ends)
    if waiting <= limit:
        return dict(ends)
    return {
        partition: min(end, start[partition] + ceil(limit * (end - start[partition]) / waiting))
        for partition, end in ends.items()
    }


def _rows(spark: SparkSession, source: FollowTopic, since: Offsets, until: Offsets) -> DataFrame:
    """The messages of each partition from one offset up to another. No client where there are none."""
    if since == until:
        return no_rows(spark, {one.name: one.type for one in MESSAGE if one.name != "topic_id"})
    options = spark_options(source) | {
        "assign": json.dumps({source.topic: sorted(until)}),
        "startingOffsets": places(source, since),
        "endingOffsets": places(source, until),
    }
    return as_messages(spark.read.format("kafka").options(**options).load())


def places(source: FollowTopic, offsets: Offsets) -> str:
    """Offsets as Spark's reader wants them."""
    return json.dumps({source.topic: {str(partition): at for partition, at in offsets.items()}})


def as_messages(rows: DataFrame) -> DataFrame:
    """What Spark reads of a topic, in the columns of `technical_columns.MESSAGE` without `topic_id`."""
    named = rows.withColumnRenamed("timestampType", "timestamp_type")
    return named.select(*[quoted(column.name) for column in MESSAGE if column.name != "topic_id"])
