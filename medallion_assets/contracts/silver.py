"""Silver: typed and validated rows; of each key the latest change, or its versions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import ClassVar

from medallion_assets.contracts import technical_columns
from medallion_assets.contracts.bronze import BronzeTable, FollowDelta, FollowTable, Land
from medallion_assets.contracts.changes import TRUNCATE_OP, Op
from medallion_assets.contracts.column import Column
from medallion_assets.contracts.merge_policies import Scd2, Upsert
from medallion_assets.contracts.payloads import Debezium, Payload
from medallion_assets.contracts.rules import (
    Rule,
    Severity,
    is_typed,
    keys_as_landed,
    no_null_words,
    not_in_future,
    not_null,
    times_as_meant,
)
from medallion_assets.contracts.sql_text import quoted_text
from medallion_assets.contracts.table import ReplaceDay, Table
from medallion_assets.contracts.technical_columns import (
    CONTENT_HASH,
    CORRUPT_RECORD,
    OFFSET,
    OP,
    nanoseconds_of,
)

MASK_BITS = 63
"""How many rules share one number: a bit each, of a signed 64-bit number all but the sign."""
NOT_TRUNCATED = Rule("not_truncated", f"{OP} IS NULL OR {OP} <> '{TRUNCATE_OP}'", (OP,))
"""Of changes by Debezium: which rows a truncation removed it does not say, so that its day is blocked."""


@dataclass(frozen=True, kw_only=True)
class SilverTable(Table):
    """A table of typed, valid rows.

    inputs: the bronze tables that it is made of; the changes of several are merged in one order, that of `sequence_by`,
        and a text that means a missing value in one of them means it in all
    rules, quarantine_limit: row rules, and the share of a day's rows in quarantine above which the day is blocked
    quarantine_least: how many rows a day must have for its share to count: the first ones of a stream say little
    purge_after: how long tombstones and quarantined rows are kept after their time; None keeps them for ever
    """

    layer: ClassVar[str] = "silver"
    kind: ClassVar[str] = layer

    write: Upsert | Scd2 | ReplaceDay
    inputs: tuple[BronzeTable, ...]
    rules: tuple[Rule, ...] = ()
    partition_by: str | None = None
    quarantine_limit: float = 1.0
    quarantine_least: int = 0
    purge_after: timedelta | None = None

    @property
    def upstream(self) -> tuple[BronzeTable, ...]:
        return self.inputs

    @property
    def merge_keys(self) -> tuple[str, ...]:
        """What tells one thing that changes from another; empty for a table without keys."""
        return self.write.keys if isinstance(self.write, Upsert) else ()

    @property
    def partition_column(self) -> str | None:
        return self.write.day_column or self.partition_by

    @property
    def read_from(self) -> tuple[str | Payload, ...]:
        """The keys of its inputs, and how those with messages are read."""
        return (
            *(table.key for table in self.inputs),
            *(table.payload for table in self.inputs if table.payload),
        )

    @property
    def reads_messages(self) -> bool:
        return any(table.payload for table in self.inputs)

    @property
    def technical_columns(self) -> tuple[Column, ...]:
        versions = technical_columns.VERSIONS if self.write.keeps_versions else ()
        keyed = technical_columns.KEYED if self.write.has_keys else ()
        return (*versions, *keyed, *technical_columns.SILVER)

    @cached_property
    def row_rules(self) -> tuple[Rule, ...]:
        """The declared rules after those that follow from the contract: well-formed, typed, key and sequence there."""
        return tuple({rule.name: rule for rule in (*self.implied_rules, *self.rules)}.values())

    @property
    def implied_rules(self) -> list[Rule]:
        rules = [Rule("well_formed", f"{CORRUPT_RECORD} IS NULL", (CORRUPT_RECORD,))]
        if isinstance(self.write, Upsert):
            rules.append(_op_known(self.write.meaning))
            is_told = any(isinstance(t.payload.meaning, Debezium) for t in self.inputs if t.payload)
            rules += [NOT_TRUNCATED] if is_told and TRUNCATE_OP not in self.write.meaning.words else []
            rules += [not_null(column) for column in (*self.write.keys, *self.write.sequence_by)]
        typed = [column for column in self.columns if column.type != "string"]
        rules += [is_typed(column.name, column.type, self.nulls) for column in typed]
        rules += [not_in_future(column, tolerance) for column, tolerance in self._tolerances.items()]
        return rules + self._warnings

    @property
    def _tolerances(self) -> dict[str, timedelta]:
        """The times of change -> how far ahead of our clock one may be: as the most tolerant input says."""
        found: dict[str, timedelta] = {}
        for source in (table.write for table in self.inputs):
            if isinstance(source, FollowDelta):
                continue
            ordering = [column.name for column in self._times if column.name in self.write.sequence]
            for name in [source.watermark] if isinstance(source, FollowTable) else ordering:
                if name in self.column_names:
                    found[name] = max(source.tolerance, found.get(name, source.tolerance))
        return found

    @property
    def _warnings(self) -> list[Rule]:
        """What is worth a look and costs no score."""
        texts = [column.name for column in self.columns if column.type == "string"]
        return [
            *([keys_as_landed(self.normal_keys)] if self.normal_keys else []),
            *([no_null_words(texts)] if texts else []),
            *([times_as_meant(self._times)] if self._times else []),
        ]

    @property
    def _times(self) -> list[Column]:
        return [column for column in self.columns if column.type in ("date", "timestamp")]

    @property
    def nulls(self) -> tuple[str, ...]:
        """The texts that its source writes for a missing value."""
        return tuple(
            text for table in self.inputs if isinstance(table.write, Land) for text in table.write.nulls
        )

    @property
    def normal_keys(self) -> tuple[str, ...]:
        """The keys that are trimmed and composed: those of text, but for raw ones."""
        texts = {column.name for column in self.columns if column.type == "string" and not column.raw}
        return tuple(key for key in self.merge_keys if key in texts)

    @property
    def validated_when_deleted(self) -> set[str]:
        """The columns on which a delete is validated: nothing else needs to be there."""
        if not isinstance(self.write, Upsert):
            return set()
        return {CORRUPT_RECORD, OP, *self.write.keys, *self.write.sequence_by}

    @property
    def sequence_fields(self) -> dict[str, str]:
        """The fields of `_sequence` in their order, with Spark's types; none for a table without keys."""
        if not isinstance(self.write, Upsert):
            return {}
        fields: dict[str, str] = {}
        for name in self.write.sequence_by:
            fields[name] = self.types.get(name, "")
            fields |= {nanoseconds_of(name): "int"} if fields[name] == "timestamp" else {}
        fields |= {"ingestion_date": "date", "file": "string"} if self.write.order_of_files else {}
        fields |= {OFFSET: "bigint"} if self.reads_messages else {}
        return {**fields, "is_delete": "boolean", CONTENT_HASH: "bigint"}

    def lineage_of(self, column: Column) -> tuple[str, ...]:
        named = dict.fromkeys(source.split(".")[0] for source in column.sources or (column.name,))
        known = [
            f"{table.layer}.{table.name}.{name}"
            for table in self.inputs
            for name in (["value"] if table.payload else named)
            if name in table.types
        ]
        return column.lineage or tuple(known)


def _op_known(op: Op) -> Rule:
    """Rows without a word that is known go to quarantine; what is ignored is judged by no rule."""
    known = f"{OP} IN ({', '.join(map(quoted_text, op.words))})"
    return Rule("op_known", f"_is_delete OR {known}" if "deletes" in op.predicates else known, (OP,))


def quarantine_masks(rules: Sequence[Rule]) -> tuple[int, ...]:
    """The bits, in the order of `rules` and `MASK_BITS` to a number, whose rule sends a row to quarantine."""
    severe = [rule.severity is Severity.QUARANTINE for rule in rules]
    return tuple(
        sum(1 << i for i, bit in enumerate(severe[start : start + MASK_BITS]) if bit)
        for start in range(0, len(severe), MASK_BITS)
    )
