"""What the messages of a topic hold: how the bytes of one become the fields of a row."""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True)
class Payload:
    """How a message is read. One without a value (a tombstone) is no change, and reaches neither silver nor quarantine.

    What cannot be read goes to quarantine, with its topic, partition and offset; bronze keeps all bytes.
    """

    kind: ClassVar[str]


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
