"""A Kafka topic as it grows: Structured Streaming reads a batch each time that there are new messages.

The query begins where the lake's own memory ends, and its checkpoint, a temporary folder, goes with it: nothing but the
lake says what was read. After a crash, a rollback or a reset of the watermark the next query begins where it must.
"""

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import reduce
from operator import or_
from pathlib import Path
from tempfile import TemporaryDirectory

from py4j.protocol import Py4JJavaError
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.streaming.query import StreamingQuery

from medallion_assets.contracts.bronze import FollowTopic
from medallion_assets.contracts.watermark import SourceOffset
from medallion_assets.lakehouse.sources.base import Batch, SourceError
from medallion_assets.lakehouse.sources.kafka_client import (
    Offsets,
    TopicState,
    shown,
    spark_options,
    topic_state,
)
from medallion_assets.lakehouse.sources.kafka_source import as_messages, offset_at, places, start_offsets

STOP_SECONDS = 10
"""How long a query may take to end. One whose brokers are away may wait for them, inside of Kafka's client."""

_log = logging.getLogger(__name__)


class StreamIsAhead(SourceError):
    """The lake holds less of a topic than the stream has read: it was rolled back, or its watermark was reset."""

    retryable = True


@dataclass(frozen=True)
class MicroBatch:
    """What a query read of a topic: the messages of each partition from `begins` up to `ends`."""

    source: FollowTopic
    rows: DataFrame
    state: TopicState
    begins: Offsets
    ends: Offsets

    @property
    def end_of_topic(self) -> SourceOffset:
        """How far the topic reached when the batch was read."""
        return offset_at(self.state.topic_id, self.state.ends)

    @contextmanager
    def pull(self, since: SourceOffset | None) -> Iterator[Batch]:
        """Those of its messages that come after the offset: a run may have taken some of them by now.

        StreamIsAhead where messages come between; SourceError as `kafka_source.pull`.
        """
        start = start_offsets(self.source, since, self.state)
        if any(start[partition] < at for partition, at in self.begins.items()):
            raise StreamIsAhead(
                f"{shown(self.source)}: the stream begins anew at {places(self.source, start)}"
            )
        rows = self.rows
        if any(start[partition] > at for partition, at in self.begins.items()):
            new = [(F.col("partition") == p) & (F.col("offset") >= start[p]) for p in self.ends]
            rows = rows.where(reduce(or_, new))
        ends = {**start, **{p: max(at, start[p]) for p, at in self.ends.items()}}
        offset, waiting = offset_at(self.state.topic_id, ends), sum(ends.values()) - sum(start.values())
        yield Batch(rows, offset, exact=False, at_most=waiting)


@dataclass(frozen=True)
class TopicQuery:
    """A query that reads a topic. errors: what its batches raised, of which Spark would tell the text alone."""

    query: StreamingQuery
    errors: list[Exception]

    @property
    def is_active(self) -> bool:
        """Whether it goes on; not where it has failed and waits for brokers before it ends."""
        return self.query.isActive and self.error is None

    @property
    def error(self) -> Exception | None:
        """What ended it, or will."""
        return self.errors[0] if self.errors else self.query.exception()


@contextmanager
def streamed(
    spark: SparkSession,
    source: FollowTopic,
    since: SourceOffset | None,
    every: float,
    take: Callable[[MicroBatch], None],
) -> Iterator[TopicQuery]:
    """A query that gives `take` what comes after the offset, every so many seconds, until the context is left.

    What `take` raises ends the query. SourceError, as `kafka_source.pull`.
    """
    state = topic_state(source)
    reached = dict(start_offsets(source, since, state))
    errors: list[Exception] = []
    with TemporaryDirectory(prefix="medallion-stream-") as checkpoint:

        def on_batch(rows: DataFrame, number: int) -> None:
            try:
                take_next(rows, number)
            except Exception as error:
                errors.append(error)
                raise

        def take_next(rows: DataFrame, number: int) -> None:
            begins, ends = dict(reached), _ends(Path(checkpoint), number, source.topic)
            now = topic_state(source)
            start_offsets(source, offset_at(state.topic_id, begins), now)
            messages = as_messages(rows).withColumn("topic_id", F.lit(now.topic_id))
            # Partitions that are new in the batch are read from their beginning.
            take(MicroBatch(source, messages, now, {p: begins.get(p, now.begins[p]) for p in ends}, ends))
            reached.update(ends)

        options = spark_options(source) | {
            "subscribe": source.topic,
            "startingOffsets": places(source, reached),
            "maxOffsetsPerTrigger": str(source.batch_messages),
        }
        spark.conf.set("spark.sql.streaming.stopTimeout", f"{STOP_SECONDS}s")
        stream = spark.readStream.format("kafka").options(**options).load().writeStream
        query = (
            stream.foreachBatch(on_batch)
            .option("checkpointLocation", checkpoint)
            .trigger(processingTime=f"{int(every * 1000)} milliseconds")
            .start()
        )
        try:
            yield TopicQuery(query, errors)
        finally:
            _stop(query, source)


def _stop(query: StreamingQuery, source: FollowTopic) -> None:
    """After STOP_SECONDS it is left behind: it reads nothing any more."""
    try:
        query.stop()
    except Py4JJavaError:
        _log.warning(f"{shown(source)}: the query did not end within {STOP_SECONDS} s")


def _ends(checkpoint: Path, number: int, topic: str) -> dict[int, int]:
    """Where the batch ends, as the query wrote it down before it read: its last line, of the only source."""
    planned = json.loads((checkpoint / "offsets" / str(number)).read_text().splitlines()[-1])
    return {int(partition): at for partition, at in planned[topic].items()}
