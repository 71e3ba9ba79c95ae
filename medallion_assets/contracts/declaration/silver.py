"""What is checked of a silver table: keys and order of its changes, rules, and one input."""

import re
from collections import Counter

from medallion_assets.contracts.declaration.common import Faults, listed, negative, sql, unknown
from medallion_assets.contracts.rules import Rule
from medallion_assets.contracts.silver import Scd2, SilverTable, Upsert
from medallion_assets.contracts.sql_text import columns_of
from medallion_assets.contracts.table import INGESTION_DATE, ReplaceDay
from medallion_assets.contracts.technical_columns import IN_RULES

OTHER_CHECKS = ("row_conservation", "unique_key", "quarantine_ratio", "stale_days", "has_data")
"""The names of silver's checks that are no rules."""


def faults(table: SilverTable) -> Faults:
    if not table.inputs:
        yield "inputs", "it is empty; name the bronze table: (bronze_orders.TABLE,)"
    for i, other in enumerate(table.inputs[1:], 1):
        yield (
            f"inputs[{i}]",
            f"nothing reads {other.key}, since silver reads its first input alone; leave it out",
        )
    yield from _write(table)
    if table.partition_by is not None:
        known = [INGESTION_DATE] if isinstance(table.write, ReplaceDay) else table.column_names
        yield from unknown("partition_by", [table.partition_by], known, table.key)
        if table.write.has_keys and set(table.partition_by) & set(".`"):
            yield (
                "partition_by",
                f"Delta cannot merge by a partition whose name has a dot or a backtick, as {table.partition_by!r}; "
                "name the column otherwise",
            )
    if not 0 <= table.quarantine_limit <= 1:
        yield (
            "quarantine_limit",
            f"{table.quarantine_limit} is no share; write 0 to 1, as 0.5 for half of the rows",
        )
    yield from negative("purge_after", table.purge_after)
    yield from _rules(table)


def _write(table: SilverTable) -> Faults:
    write = table.write
    if isinstance(write, ReplaceDay) and write.column != INGESTION_DATE:
        yield "write.column", f"silver replaces ingestion days, not {write.column!r}; write ReplaceDay()"
    if isinstance(write, Upsert):
        yield from listed("write.keys", write.keys, table.column_names, table.key)
        yield from unknown("write.sequence_by", write.sequence_by, table.column_names, table.key)
        landed = table.inputs[0].column_names if table.inputs else []
        if write.op != "op" and landed:
            yield from unknown("write.op", [write.op], landed, table.inputs[0].key)
    if isinstance(write, Scd2):
        yield from listed("write.tracked", write.tracked, table.column_names, table.key)
        if not write.sequence_by:
            yield (
                "write.sequence_by",
                "versions need the time of each change; name its column, as ('updated_at',)",
            )
        for name in {"valid_from", "valid_to", "is_current"} & {n.lower() for n in table.column_names}:
            yield "columns", f"{name!r} is a column that versions add; name yours otherwise"


def _rules(table: SilverTable) -> Faults:
    names = Counter(rule.name for rule in table.rules)
    implied = {rule.name: rule for rule in table.implied_rules}
    for i, rule in enumerate(table.rules):
        field = f"rules[{i}]"
        if names[rule.name] > 1:
            yield field, f"{names[rule.name]} rules are named {rule.name!r}; name each otherwise"
        if not re.fullmatch(r"[A-Za-z0-9_]+", rule.name):
            yield f"{field}.name", f"{rule.name!r} may have letters, digits and _ alone"
        if rule.name in OTHER_CHECKS:
            yield f"{field}.name", f"{rule.name!r} is another check of silver; name it otherwise"
        if rule.name in implied and _weakens(table, rule, implied[rule.name]):
            yield (
                field,
                f"{rule.name!r} follows from the key and sequence, and sends rows to quarantine; leave it out",
            )
        yield from _rule(table, rule, field)


def _rule(table: SilverTable, rule: Rule, field: str) -> Faults:
    known, mend = [*table.column_names, *IN_RULES], "declare it as a column, or "
    landed = {*table.column_names, getattr(table.write, "op", "op")}
    landed |= {name for other in table.inputs for name in other.column_names}
    found = list(sql(f"{field}.predicate", rule.predicate, known, table.key, mend, sorted(landed)))
    yield from found
    if not found and not columns_of(rule.predicate):
        yield f"{field}.predicate", f"{rule.predicate!r} names no column, so that it says nothing of a row"
    if not rule.columns:
        yield f"{field}.columns", f"it is empty; name the columns that {rule.name} judges"
    yield from unknown(f"{field}.columns", rule.columns, known, table.key, mend)
    if rule.weight < 0:
        yield f"{field}.weight", f"{rule.weight} is negative; write 0 or more"


def _weakens(table: SilverTable, rule: Rule, implied: Rule) -> bool:
    """Whether a declared rule would take the place of one that the merge relies on."""
    is_same = (rule.predicate, rule.severity) == (implied.predicate, implied.severity)
    return not is_same and set(implied.columns) <= table.validated_when_deleted
