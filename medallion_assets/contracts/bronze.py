"""Bronze: rows as they landed, every field text; from files, or from a system that is followed."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import ClassVar

from medallion_assets.contracts import technical_columns
from medallion_assets.contracts.column import INGESTION_DATE, Column
from medallion_assets.contracts.payloads import Json, Payload
from medallion_assets.contracts.table import Table, WritePolicy

EARLIEST = "earliest"


@dataclass(frozen=True)
class Land(WritePolicy):
    r"""Bronze: every file of `$MEDALLION_LANDING/<source>/date=<day>/`, as text; a day converges to its folder.

    nulls: texts that this source writes for a missing value, as "NULL" or "\N"; silver reads them as NULL
    tolerance: rows whose change is stamped further ahead of our clock go to quarantine in silver
    """

    source: str
    nulls: tuple[str, ...] = ()
    tolerance: timedelta = timedelta(days=1)

    kind: ClassVar[str] = "land"
    lands_files: ClassVar[bool] = True


@dataclass(frozen=True)
class FollowDelta(WritePolicy):
    """Bronze: a Delta table elsewhere, followed by its version: a batch is what changed since the last one.

    `url`: an absolute path or an object-store URL, or $NAME of the environment variable that holds it. Rows that are
    there no more come as deletes (`op` D), rows that came or changed as upserts (`op` U). `keys` tell which.
    """

    url: str
    keys: tuple[str, ...]

    kind: ClassVar[str] = "follow_delta"
    follows_source: ClassVar[bool] = True


@dataclass(frozen=True)
class FollowTable(WritePolicy):
    """Bronze: a table of a PostgreSQL database, followed by the column that says when a row was last changed.

    A batch is every row with `watermark` >= the last watermark - `overlap`, or without one, that bronze does not hold.
    connection: the environment variable with the database's URL (postgresql://user:password@host:5432/name)
    overlap: longer than the longest transaction, since a row stamped 10:00 may be committed at 10:05; for a watermark
    that is a date, at least a day
    tolerance: rows stamped further ahead of our clock go to quarantine (the watermark is never ahead of it)
    partitions: how many connections read at a time, all of one snapshot
    keys: what identifies a row; used by the reconciliation of deleted keys alone
    """

    connection: str
    table: str
    keys: tuple[str, ...]
    watermark: str = "updated_at"
    overlap: timedelta = timedelta(minutes=15)
    tolerance: timedelta = timedelta(days=1)
    partitions: int = 1

    kind: ClassVar[str] = "follow_table"
    follows_source: ClassVar[bool] = True


@dataclass(frozen=True)
class FollowTopic(WritePolicy):
    """Bronze: a Kafka topic, followed by its offsets; a batch is what came between two of them, byte for byte.

    servers: host:port, several with commas, or $NAME of the environment variable that holds them
    settings: $NAME of the variable with what else a client must know, as a JSON object (SASL, TLS: see
    `lakehouse/sources/kafka_client.py`)
    payload: how silver reads the messages
    begin: from where a topic is read that was never read: "earliest", or a time as ISO 8601
    committed: transactions that were aborted, or are open, are not read
    batch_messages: a run takes as many batches as it needs; a crash repeats one
    tolerance: rows whose change is stamped further ahead of our clock go to quarantine in silver
    """

    topic: str
    servers: str
    payload: Payload = field(default_factory=Json)
    settings: str = ""
    begin: str = EARLIEST
    committed: bool = True
    batch_messages: int = 500_000
    tolerance: timedelta = timedelta(days=1)

    kind: ClassVar[str] = "follow_topic"
    follows_source: ClassVar[bool] = True


@dataclass(frozen=True, kw_only=True)
class BronzeTable(Table):
    """`columns` say what is expected to land; what else lands is kept, too, and told by `schema_drift`.

    A topic lands messages, whose columns are the same for all (`technical_columns.MESSAGE`); it declares none.
    """

    layer: ClassVar[str] = "bronze"
    kind: ClassVar[str] = layer

    write: Land | FollowDelta | FollowTable | FollowTopic

    @property
    def partition_column(self) -> str:
        return INGESTION_DATE

    @property
    def required_columns(self) -> tuple[str, ...]:
        """The columns of which a landed file is expected to have each, and must have one."""
        return tuple(column.name for column in self.columns if not column.optional)

    @property
    def landing_folder(self) -> str:
        return self.write.source if isinstance(self.write, Land) else ""

    @property
    def payload(self) -> Payload | None:
        """How its rows are read, where they are messages."""
        return self.write.payload if isinstance(self.write, FollowTopic) else None

    @property
    def technical_columns(self) -> tuple[Column, ...]:
        return (*(technical_columns.MESSAGE if self.payload else ()), *technical_columns.BRONZE)
