"""The columns that the lake adds to a table's own: their names, types and descriptions, in one list."""

from medallion_assets.contracts.column import INGESTION_DATE, Column

INGESTION_TIMESTAMP = "_ingestion_timestamp"
SOURCE_FILE = "_source_file"
SOURCE_MODIFIED_AT = "_source_modified_at"
SOURCE_ROW = "_source_row"
CORRUPT_RECORD = "_corrupt_record"
OP = "_op"
IS_DELETE = "_is_delete"
IS_VOID = "_is_void"
NO_CHANGE = "_no_change"
"""Of a message: it says nothing of any row."""
OFFSET = "message_offset"
"""The field of a sequence by which the later of two messages counts."""
SEQUENCE = "_sequence"
DELETED_AT = "_deleted_at"
QUALITY_SCORE = "_data_quality_score"
CONTENT_HASH = "content_hash"
"""The last field of a sequence: of two changes that nothing else tells apart it decides."""
PROVENANCE = (INGESTION_DATE, SOURCE_FILE)
"""Which file, or batch, a row came from."""

VERSIONED = ("valid_from", "valid_to", "is_current")
"""The columns of a table that keeps versions."""

INGESTED = (
    Column(INGESTION_DATE, "date", "Day of the landing folder"),
    Column(SOURCE_FILE, "string", "Landed file, relative to the landing root, or batch"),
)
BRONZE = (
    Column(INGESTION_TIMESTAMP, "timestamp", "When the row was landed"),
    *INGESTED,
    Column(SOURCE_MODIFIED_AT, "timestamp", "When the landed file, or the row at its source, was changed"),
    Column(
        SOURCE_ROW, "bigint", "Ascends with the place of the record in its file; NULL where that is not known"
    ),
    Column(CORRUPT_RECORD, "string", "The raw record, where it could not be parsed"),
)
MESSAGE = (
    Column("key", "binary", "The message's key, as it was sent"),
    Column("value", "binary", "The message's value, as it was sent; NULL for a tombstone"),
    Column("headers", "array<struct<key:string,value:binary>>", "The message's headers"),
    Column("topic", "string", "Name of the topic"),
    Column(
        "topic_id", "string", "Tells a topic from another one of its name, before and after it was made anew"
    ),
    Column("partition", "int", "Partition of the topic"),
    Column("offset", "bigint", "Place of the message in its partition"),
    Column("timestamp", "timestamp", "When the message was made, or came to the broker"),
    Column("timestamp_type", "int", "0: when it was made, 1: when it came"),
)
PLACE_OF_MESSAGE = ("_topic", "_partition", "_offset")
"""Where a row of silver's quarantine came from, where that is a message."""
VERSIONS = (
    Column("valid_from", "timestamp", "When the version began"),
    Column("valid_to", "timestamp", "When it ended; NULL for the open version"),
    Column("is_current", "boolean", "Whether it is the open version"),
)
KEYED = (
    Column(SEQUENCE, "struct", "What orders the changes of one key"),
    Column(DELETED_AT, "timestamp", "Time of the delete; NULL for a live row"),
)
SILVER = (
    *INGESTED,
    Column("_silver_processed_timestamp", "timestamp", "When the row was written"),
    Column(QUALITY_SCORE, "double", "0 to 100: the weighted share of rules that the row satisfies"),
)
GOLD = (Column("_gold_created_timestamp", "timestamp", "When the day was computed"),)


def nanoseconds_of(name: str) -> str:
    """The field of a sequence that follows a timestamp: its nanoseconds beyond the microsecond, 0 to 999."""
    return f"_{name}_nanoseconds"


IN_RULES = (OP, CORRUPT_RECORD, INGESTION_TIMESTAMP, *PROVENANCE, SOURCE_MODIFIED_AT, SOURCE_ROW, IS_DELETE)
"""What a row rule can name beside the table's columns and `_landed`."""
