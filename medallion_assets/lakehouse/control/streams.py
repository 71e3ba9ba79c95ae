"""`control/streams`: which processes follow topics (`make stream`), and when each gave its last sign of life.

What they took is in the ledgers; this is for those who must leave their tables alone, and for those who must be told.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from medallion_assets.lakehouse.control.small_table import SmallTable, now

RUNNING, STOPPED = "running", "stopped"
BEAT = timedelta(seconds=10)
"""How often a stream gives a sign of life."""
SILENCE = timedelta(seconds=30)
"""A stream that gave none for so long is taken for dead: the sensors ask for its tables again, and an alert is sent."""
FORGOTTEN = timedelta(days=1)
"""Nobody is told any more of a stream that has been dead for so long."""
_RUN = "stream-"


@dataclass(frozen=True)
class Stream:
    """One topic that is followed continuously.

    table_name: of bronze; tables: all that the process keeps up to date with it
    status: running or stopped; error: why nothing was taken last, empty where something was
    lag_messages: how many offsets the topic had beyond what bronze holds; -1 where the brokers did not answer
    oldest_untaken_seconds: how old the oldest message that is not taken may be at most; 0 where there is none
    tick_seconds: of the last batch, bronze and silver
    """

    table_name: str
    tables: list[str]
    host: str
    pid: int
    run_id: str
    status: str
    started_at: datetime
    heartbeat_at: datetime
    watermark_value: str | None = None
    lag_messages: int = -1
    oldest_untaken_seconds: float = 0.0
    tick_seconds: float = 0.0
    error: str = ""

    @property
    def place(self) -> str:
        return f"process {self.pid} on {self.host}"


STREAMS = SmallTable("control/streams", Stream)


def run_id_of(started: datetime) -> str:
    """What rows that a stream writes bear in the place of a run's id."""
    return f"{_RUN}{started:%Y%m%dT%H%M%S}"


def is_of_stream(run_id: str) -> bool:
    """Whether no run of Dagster has the id."""
    return run_id.startswith(_RUN)


def record(root: str, streams: Iterable[Stream]) -> None:
    """Replaces the rows of these tables, in one commit."""
    rows = list(streams)
    STREAMS.replace(root, rows, table_name=[row.table_name for row in rows])


def streams(root: str) -> list[Stream]:
    """All that were not forgotten."""
    return [row for row in STREAMS.read(root) if row.heartbeat_at > now() - FORGOTTEN]


def is_silent(stream: Stream, at: datetime) -> bool:
    """Whether the process is gone without having said so, or stuck."""
    return stream.status == RUNNING and stream.heartbeat_at < at - SILENCE


def silent_streams(root: str, at: datetime) -> dict[str, str]:
    """Table -> what is wrong with the process that follows its topic: it is gone without having said so, or stuck."""
    return {
        one.table_name: f"{one.table_name}: the stream of {one.place} gave its last sign of life at "
        f"{one.heartbeat_at:%H:%M:%S} UTC: start it again (`make stream`); the sensor takes over until then"
        for one in streams(root)
        if is_silent(one, at)
    }


def kept_by_streams(root: str) -> dict[str, str]:
    """Table -> the process that keeps it up to date; sensors leave it alone."""
    at = now()
    alive = [one for one in streams(root) if one.status == RUNNING and not is_silent(one, at)]
    return {table: one.place for one in alive for table in one.tables}
