"""What is checked of a silver table: keys and order of its changes, rules, and what its inputs have in common."""

import re
from collections import Counter

from medallion_assets.contracts.changes import BY_LANDING, BY_NAME, KNOWN_UPSERTS, Op
from medallion_assets.contracts.column import INGESTION_DATE
from medallion_assets.contracts.column_identity import column_key, holder_of
from medallion_assets.contracts.declaration.common import Faults, listed, negative, sql, unknown
from medallion_assets.contracts.merge_policies import Scd2, Upsert
from medallion_assets.contracts.rules import Rule
from medallion_assets.contracts.silver import SilverTable
from medallion_assets.contracts.sql_text import columns_of
from medallion_assets.contracts.table import ReplaceDay
from medallion_assets.contracts.technical_columns import IN_RULES, OP

OTHER_CHECKS = (
    "row_conservation",
    "unique_key",
    "quarantine_ratio",
    "stale_days",
    "has_data",
    "op_found",
    "order_undecided",
    "on_time",
    "open_days",
)
"""The names of silver's checks that are no rules."""


def faults(table: SilverTable) -> Faults:
    if not table.inputs:
        yield "inputs", "it is empty; name the bronze table: (bronze_orders.TABLE,)"
    yield from _inputs(table)
    yield from _write(table)
    yield from _sources(table)
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
    if table.quarantine_least < 0:
        yield "quarantine_least", f"{table.quarantine_least} is no number of rows; write 0 or more"
    yield from negative("purge_after", table.purge_after)
    yield from _rules(table)


def _inputs(table: SilverTable) -> Faults:
    """Several inputs are told apart by their files, and merged by columns that each of them has."""
    for i, source in enumerate(table.inputs):
        others = table.inputs[:i]
        if source.key in [other.key for other in others]:
            yield f"inputs[{i}]", f"{source.key} is in it twice; leave one out"
        elif source.landing_folder and source.landing_folder in [other.landing_folder for other in others]:
            yield (
                f"inputs[{i}]",
                f"{source.key} reads the folder {source.landing_folder!r} as another input does; leave one out",
            )
    if len(table.inputs) > 1 and isinstance(table.write, Upsert):
        yield from _merged_by(table, table.write)


def _merged_by(table: SilverTable, write: Upsert) -> Faults:
    if not write.sequence_by:
        yield "write.sequence_by", "it is empty; name the column that orders the changes of all inputs"
    by = [column for column in table.columns if column.name in (*write.keys, *write.sequence_by)]
    for i, source in enumerate(table.inputs):
        landed = set(map(column_key, source.column_names))
        for column in by if landed else []:
            if not any(holder_of(name, landed) for name in column.sources or (column.name,)):
                yield (
                    f"inputs[{i}]",
                    f"{source.key} has no {column.name!r}, by which the changes of all inputs are merged; name the "
                    f"column that is it there: Column({column.name!r}, source=({column.name!r}, ...))",
                )


def _write(table: SilverTable) -> Faults:
    write = table.write
    if isinstance(write, ReplaceDay) and write.column != INGESTION_DATE:
        yield "write.column", f"silver replaces ingestion days, not {write.column!r}; write ReplaceDay()"
    if isinstance(write, Upsert):
        yield from listed("write.keys", write.keys, table.column_names, table.key)
        yield from unknown("write.sequence_by", write.sequence_by, table.column_names, table.key)
        yield from _op(table, write.op)
        yield from _file_order(table, write)
    if isinstance(write, Scd2):
        yield from listed("write.tracked", write.tracked, table.column_names, table.key)
        if not write.sequence_by:
            yield (
                "write.sequence_by",
                "versions need the time of each change; name its column, as ('updated_at',)",
            )
        for name in {"valid_from", "valid_to", "is_current"} & {n.lower() for n in table.column_names}:
            yield "columns", f"{name!r} is a column that versions add; name yours otherwise"


def _op(table: SilverTable, declared: str | Op) -> Faults:
    landed, owner = _landed(table)
    op, field = (declared, "write.op.field") if isinstance(declared, Op) else (Op(declared), "write.op")
    if landed and op.field != "op":
        yield from unknown(field, [_column(op.field, landed)], landed, owner)
    if isinstance(declared, Op):
        yield from _words(declared)
        for name, text in op.predicates.items():
            yield from sql(f"write.op.{name}", text, [*landed, OP], owner)


def _words(op: Op) -> Faults:
    lists = {"deletes": op.deletes, "ignores": op.ignores, "upserts": op.upserts}
    if op.upserts == KNOWN_UPSERTS:  # of which a tool may mean something else
        del lists["upserts"]
    named = Counter(word.upper() for words in lists.values() if isinstance(words, tuple) for word in words)
    for word in sorted(word for word, count in named.items() if count > 1):
        yield (
            "write.op",
            f"{word!r} is in two of deletes, ignores and upserts (capitals do not count); leave it in one",
        )


def _file_order(table: SilverTable, write: Upsert) -> Faults:
    order = write.file_order
    if order is None:
        return
    if order.by not in (BY_NAME, BY_LANDING):
        yield "write.file_order.by", f"{order.by!r} is no order of files; write {BY_NAME!r} or {BY_LANDING!r}"
    for source in (source for source in table.inputs if not source.write.lands_files):
        yield "write.file_order", f"{source.key} has no files, but batches in order; leave it out"


def _sources(table: SilverTable) -> Faults:
    landed, owner = _landed(table)
    for i, column in enumerate(table.columns):
        for source in column.sources if landed else ():
            yield from unknown(f"columns[{i}].source", [_column(source, landed)], landed, owner)


def _landed(table: SilverTable) -> tuple[list[str], str]:
    """The landed columns as bronze's contracts have them, and whose they are; none where one does not say."""
    if not all(source.column_names for source in table.inputs):
        return [], ""
    landed = {name: None for source in table.inputs for name in source.column_names}
    return list(landed), " or ".join(source.key for source in table.inputs)


def _column(source: str, landed: list[str]) -> str:
    """The landed column that a source is, or is a field of; itself where there is none."""
    known = {column_key(name): name for name in landed}
    return known.get(holder_of(source, known) or "", source)


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
    landed = {*table.column_names, table.write.meaning.field or "op"}
    landed |= {name for other in table.inputs for name in other.column_names}
    fields = [] if table.reads_messages else sorted(landed)  # of messages any field may be there
    known += ["_landed"] if table.reads_messages else []
    found = list(sql(f"{field}.predicate", rule.predicate, known, table.key, mend, fields))
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
