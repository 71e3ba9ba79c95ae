"""The process of `make stream`: a thread for each topic, one for gold, and one that gives signs of life and reports."""

import logging
import threading
import time
from collections.abc import Collection, Mapping
from dataclasses import replace

import dagster as dg

from medallion_assets.contracts.bronze import BronzeTable, FollowTopic
from medallion_assets.contracts.gold import GoldTable
from medallion_assets.contracts.table import Table, descendants
from medallion_assets.lakehouse.control import streams
from medallion_assets.lakehouse.control.small_table import now
from medallion_assets.lakehouse.storage.lake import Lake
from medallion_assets.orchestration.resources import LakehouseResource, SparkResource
from medallion_assets.orchestration.streaming.gold_beat import GoldBeat
from medallion_assets.orchestration.streaming.reports import Reports
from medallion_assets.orchestration.streaming.topic_stream import TopicStream

DONE, BROKEN, OUTDATED = 0, 1, 75
"""Exit codes: stopped as asked; a fault of ours; a newer contract is at work, so start again (EX_TEMPFAIL)."""

log = logging.getLogger(__name__)


def topics_of(tables: Mapping[str, Table]) -> dict[str, BronzeTable]:
    """The tables that follow a topic."""
    return {
        key: table
        for key, table in tables.items()
        if isinstance(table, BronzeTable) and isinstance(table.write, FollowTopic)
    }


def follow_topics(
    tables: Mapping[str, Table],
    topics: Collection[BronzeTable],
    instance: dg.DagsterInstance,
    stop: threading.Event,
    every: float,
    gold_every: float,
) -> int:
    """Follows the topics and keeps what is made of them up to date until `stop` is set; returns the exit code.

    every, gold_every: seconds between two batches of a topic, and between two refreshes of gold
    PreCheckError where nothing can succeed.
    """
    contracts_read_at = now()
    lakehouse, spark = LakehouseResource(), SparkResource()
    below = {topic.key: descendants(topic, tables.values()) for topic in topics}
    keys = {topic.key for topic in topics}
    kept = [table for table in tables.values() if keys & {table.key, *table.ancestor_keys}]
    gold = [table for table in kept if isinstance(table, GoldTable) and not table.write.is_extract]
    for table in kept:
        lakehouse.before_run(table, spark.master)
    session = spark.session(lakehouse.places)
    of_gold = session.newSession()
    run_id = streams.run_id_of(contracts_read_at)

    def open_lake() -> Lake:
        return replace(lakehouse.open(of_gold, run_id), contracts_read_at=contracts_read_at)

    reports = Reports(instance, lakehouse)
    follow = [TopicStream(open_lake(), one, below[one.key], every, reports, stop) for one in topics]
    beat = GoldBeat(open_lake, gold, gold_every, reports, stop)
    threads = [threading.Thread(target=one.run) for one in (*follow, beat)]
    for thread in threads:
        thread.start()
    is_whole = _watch(threads, follow, reports, lakehouse.lake_root, stop)
    return OUTDATED if any(one.is_outdated for one in (*follow, beat)) else DONE if is_whole else BROKEN


def _watch(
    threads: list[threading.Thread],
    follow: list[TopicStream],
    reports: Reports,
    root: str,
    stop: threading.Event,
) -> bool:
    """Gives signs of life and reports until all threads have ended; returns whether none ended by itself."""
    is_whole, last = True, 0.0
    while alive := [thread for thread in threads if thread.is_alive()]:
        if len(alive) < len(threads) and not stop.is_set():
            is_whole = False
            stop.set()
        if time.monotonic() - last >= streams.BEAT.total_seconds():
            last = time.monotonic()
            _give_sign(root, follow)
        reports.tell()
        alive[0].join(1.0)
    reports.tell(everything=True)
    _give_sign(root, follow)
    return is_whole


def _give_sign(root: str, follow: list[TopicStream]) -> None:
    try:
        streams.record(root, [replace(one.progress.row, heartbeat_at=now()) for one in follow])
    except Exception as error:  # such as a full disk
        log.error(f"{streams.STREAMS.key} could not be written: {error}")
