"""How many messages a second bronze takes, beside a bare Structured Streaming query that appends them to a Delta table.

In turn, in one session; the first round warms up and is not counted.
"""

import time

from confluent_kafka import Producer
from pyspark.sql import SparkSession

from benchmarks.messages import PARTITIONS, send
from medallion_assets.commands.text_table import table
from medallion_assets.contracts import BronzeTable, FollowTopic
from medallion_assets.lakehouse import bronze
from medallion_assets.lakehouse.sources.kafka_client import spark_options
from medallion_assets.lakehouse.sources.kafka_stream import MicroBatch, streamed
from medallion_assets.lakehouse.spark import session
from medallion_assets.lakehouse.storage.lake import Lake
from medallion_assets.local_servers.kafka import Broker

BATCH = 100_000


def messages_a_second(broker: Broker, folder: str, messages: int, rounds: int) -> str:
    """A table of the rounds."""
    topic = broker.topic(PARTITIONS)
    producer = Producer(broker.client_settings | {"linger.ms": 50})
    for number in range(messages):
        send(producer, topic, number)
        if number % 10_000 == 0:
            producer.flush()
    producer.flush()
    source = FollowTopic(topic, broker.servers, batch_messages=BATCH)
    spark = session.start()
    found: list[tuple[object, ...]] = []
    for number in range(rounds):
        bare = _bare_seconds(spark.newSession(), source, f"{folder}/bare-{number}", messages)
        ours = _our_seconds(spark.newSession(), source, f"{folder}/ours-{number}", messages)
        if number:
            found.append((number, *(f"{messages / one:,.0f}" for one in (ours, bare)), f"{bare / ours:.2f}"))
    session.end(spark)
    return f"Messages a second, batches of {BATCH:,}:\n" + table(("round", "ours", "bare", "ratio"), found)


def _bare_seconds(spark: SparkSession, source: FollowTopic, path: str, messages: int) -> float:
    options = {"subscribe": source.topic, "startingOffsets": "earliest", "maxOffsetsPerTrigger": str(BATCH)}
    began = time.monotonic()
    rows = spark.readStream.format("kafka").options(**spark_options(source) | options).load()
    writer = rows.writeStream.format("delta").option("checkpointLocation", f"{path}-checkpoint")
    query = writer.trigger(processingTime="0 seconds").start(path)
    while sum(progress["numInputRows"] for progress in query.recentProgress) < messages:
        time.sleep(0.02)
    seconds = time.monotonic() - began
    query.stop()
    return seconds


def _our_seconds(spark: SparkSession, source: FollowTopic, root: str, messages: int) -> float:
    lake, taken = Lake(spark, root, f"{root}-landing"), 0
    followed = BronzeTable(name="events", description="Messages.", write=source)
    last = None

    def take(batch: MicroBatch) -> None:
        nonlocal last, taken
        last = bronze.ingest_batch(lake, followed, batch.pull, last)
        taken += last.rows

    began = time.monotonic()
    with streamed(spark, source, None, 0.001, take) as stream:
        while taken < messages and stream.is_active:
            time.sleep(0.02)
        return time.monotonic() - began
