"""What is checked of a bronze table: that its source can be read as it says."""

from medallion_assets.contracts.bronze import EARLIEST, FollowDelta, FollowTable, FollowTopic, Land
from medallion_assets.contracts.days import as_moment
from medallion_assets.contracts.declaration.common import Faults, listed, negative, unknown
from medallion_assets.contracts.payloads import Avro
from medallion_assets.contracts.table import Table


def faults(table: Table) -> Faults:
    if table.transform:
        yield "transform", "bronze keeps rows as they land; move it to the silver table"
    if isinstance(table.write, Land):
        yield from _text("write.source", table.write.source, "the folder below the landing area")
        if set(table.write.source) & set("/\\"):
            yield "write.source", f"{table.write.source!r} is a path; write the name of one folder"
        if "" in table.write.nulls:
            yield "write.nulls", "an empty field is NULL in any case; leave '' out"
        yield from negative("write.tolerance", table.write.tolerance)
        return
    if isinstance(table.write, FollowTopic):
        yield from _topic(table, table.write)
        return
    known = table.column_names or [*getattr(table.write, "keys", ())]
    if isinstance(table.write, FollowDelta):
        yield from _text("write.url", table.write.url, "where the Delta table is")
        yield from listed("write.keys", table.write.keys, known, table.key)
    if isinstance(table.write, FollowTable):
        yield from _text("write.connection", table.write.connection, "the variable with the database's URL")
        yield from _text("write.table", table.write.table, "the table in the database")
        yield from listed("write.keys", table.write.keys, known, table.key)
        yield from unknown("write.watermark", [table.write.watermark], table.column_names, table.key)
        yield from negative("write.overlap", table.write.overlap)
        yield from negative("write.tolerance", table.write.tolerance)
        if table.write.partitions < 1:
            yield "write.partitions", f"{table.write.partitions} connections read nothing; write 1 or more"


def _topic(table: Table, topic: FollowTopic) -> Faults:
    yield from _text("write.topic", topic.topic, "the topic's name")
    yield from _text("write.servers", topic.servers, "host:port, or $NAME of the variable that holds it")
    if topic.settings and not topic.settings.startswith("$"):
        yield (
            "write.settings",
            "it may hold a password; write $NAME of the environment variable that holds it",
        )
    try:
        _ = topic.begin == EARLIEST or as_moment(topic.begin)
    except ValueError:
        yield (
            "write.begin",
            f"{topic.begin!r} is no beginning; write 'earliest' or a time, as '2026-01-05T00:00:00Z'",
        )
    if topic.batch_messages < 1:
        yield "write.batch_messages", f"{topic.batch_messages} messages are no batch; write 1 or more"
    yield from negative("write.tolerance", topic.tolerance)
    if isinstance(topic.payload, Avro):
        yield from _avro(topic.payload)
    if table.columns:
        yield "columns", "the messages of a topic have columns of their own; declare their fields in silver"


def _avro(payload: Avro) -> Faults:
    yield from _text(
        "write.payload.registry", payload.registry, "the registry's URL, or $NAME of its variable"
    )
    if "@" in payload.registry:
        yield (
            "write.payload.registry",
            "it may hold a password; write $NAME of the environment variable that holds it",
        )
    if isinstance(payload.holds, Avro):
        yield "write.payload.holds", "Avro holds no Avro; write Json() or Debezium()"


def _text(field: str, value: str, meaning: str) -> Faults:
    if not value.strip():
        yield field, f"it is empty; write {meaning}"
