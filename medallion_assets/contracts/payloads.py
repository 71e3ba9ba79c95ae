"""What the messages of a topic hold: how the bytes of one become the fields of a row."""

from dataclasses import dataclass, field
from typing import ClassVar


@dataclass(frozen=True)
class Payload:
    """How a message is read. One without a value (a tombstone) is no change, and reaches neither silver nor quarantine.

    What cannot be read goes to quarantine, with its topic, partition and offset; bronze keeps all bytes.
    """

    kind: ClassVar[str]

    @property
    def meaning(self) -> "Payload":
        """What the record of a message says, however it is encoded."""
        return self


@dataclass(frozen=True)
class Json(Payload):
    """The value is one JSON object in UTF-8; each of its fields is a landed column, nested ones as their JSON."""

    kind: ClassVar[str] = "json"


@dataclass(frozen=True)
class Debezium(Payload):
    """The value is Debezium's envelope as JSON, bare or as `{schema, payload}`; the landed columns are the row's.

    They are those of `after`, and of a delete those of the message's key alone: what else `before` holds is made up,
    unless the table's replica identity is FULL. Beside them come `op` (c, r, u, d, t), `lsn`, `snapshot`, `source_ts`
    (when the database committed, ISO 8601 in UTC, to the millisecond) and `tx_order`; a field of the row that is named
    like one of them is `landed_op` and so on. Messages that are neither of a row nor a truncation (heartbeats, marks of
    transactions) are no change.
    """

    kind: ClassVar[str] = "debezium"


@dataclass(frozen=True)
class Avro(Payload):
    """A record in Avro as Confluent's serializers frame it: a zero byte, the number of its schema (4 bytes), the data.

    registry: the URL of the schema registry (Confluent's API), or $NAME of the environment variable that holds it, also
    with `user:password@`
    holds: what the record says: `Json()` (a row, whose fields are the columns) or `Debezium()`

    The landed text of a value is that of JSON; dates and times are ISO 8601, bytes are base64. A message in JSON among
    the others is read as such.
    """

    registry: str
    holds: Payload = field(default_factory=Json)

    kind: ClassVar[str] = "avro"

    @property
    def meaning(self) -> Payload:
        return self.holds
