"""What a table file may say, in plain Python: no Spark, no Delta, no Dagster. All that it needs is imported from here.

Tables, rules and measures belong here, and the decisions on them that need no data; how rows are read and written
does not.
"""

from medallion_assets.contracts.bronze import BronzeTable, FollowDelta, FollowTable, FollowTopic, Land
from medallion_assets.contracts.changes import FileOrder, Op
from medallion_assets.contracts.column import Column
from medallion_assets.contracts.freshness import WEEKEND
from medallion_assets.contracts.gold import GoldTable, Join, Total
from medallion_assets.contracts.gold_policies import Dimension, Extract, ReplaceWhole
from medallion_assets.contracts.measures import (
    Measure,
    average,
    count,
    count_distinct,
    derived,
    greatest,
    least,
    total,
)
from medallion_assets.contracts.merge_policies import Scd2, Upsert
from medallion_assets.contracts.payloads import Avro, Debezium, Json
from medallion_assets.contracts.rules import (
    Rule,
    Severity,
    at_most_decimals,
    between,
    is_typed,
    matches,
    not_in_future,
    not_negative,
    not_null,
    one_of,
)
from medallion_assets.contracts.silver import SilverTable
from medallion_assets.contracts.table import ReplaceDay, Table

__all__ = [
    "WEEKEND",
    "Avro",
    "BronzeTable",
    "Column",
    "Debezium",
    "Dimension",
    "Extract",
    "FileOrder",
    "FollowDelta",
    "FollowTable",
    "FollowTopic",
    "GoldTable",
    "Join",
    "Json",
    "Land",
    "Measure",
    "Op",
    "ReplaceDay",
    "ReplaceWhole",
    "Rule",
    "Scd2",
    "Severity",
    "SilverTable",
    "Table",
    "Total",
    "Upsert",
    "at_most_decimals",
    "average",
    "between",
    "count",
    "count_distinct",
    "derived",
    "greatest",
    "is_typed",
    "least",
    "matches",
    "not_in_future",
    "not_negative",
    "not_null",
    "one_of",
    "total",
]
