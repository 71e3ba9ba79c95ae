"""What is checked of a gold table: facts, joins, measures, and that a table by day has days."""

from collections.abc import Collection

from sqlglot import exp

from medallion_assets.contracts.column import INGESTION_DATE
from medallion_assets.contracts.declaration.common import Faults, listed, sql, unknown
from medallion_assets.contracts.gold import GoldTable, Join
from medallion_assets.contracts.gold_policies import Dimension, Extract
from medallion_assets.contracts.merge_policies import Upsert
from medallion_assets.contracts.rules import Severity, not_null
from medallion_assets.contracts.silver import SilverTable
from medallion_assets.contracts.sql_text import SqlError, columns_of, expression
from medallion_assets.contracts.table import ReplaceDay, Table


def faults(table: GoldTable) -> Faults:
    found = [*_inputs(table)]
    yield from found
    if found:
        return  # what is asked of its facts below cannot be told
    yield from _joins(table)
    yield from _write(table)
    yield from _columns(table)
    facts = table.facts_key
    if table.where != "true":
        yield from sql("where", table.where, table.own_fact_types, facts)
    for i, total in enumerate(table.totals):
        yield from sql(f"totals[{i}].rows", total.rows, table.column_names, table.key)
        yield from sql(f"totals[{i}].facts", total.facts, table.own_fact_types, facts)
    yield from unknown("sort_by", table.sort_by, table.column_names, table.key)
    if table.partition_by is not None:
        yield from unknown("partition_by", [table.partition_by], table.column_names, table.key)


def _inputs(table: GoldTable) -> Faults:
    for i, other in enumerate(table.inputs):
        if i > 0:
            yield f"inputs[{i}]", f"nothing reads {other.key}; leave it out, or join it: joins=(Join(...),)"
        elif other.layer == "bronze":
            yield (
                "inputs[0]",
                f"gold is not made of {other.key}, whose rows are not validated; name its silver table",
            )
    if isinstance(table.write, Extract):
        contract = table.write.validated_by
        if table.inputs:
            yield "inputs", "an extract reads the files of its silver contract; leave them out"
        if len(contract.inputs) != 1 or not contract.inputs[0].write.lands_files:
            yield (
                "write.validated_by",
                f"{contract.key} is not made of the landed files of one source; name a silver table that is",
            )
        if table.where != "true" or table.totals:
            yield "where", "an extract has no facts to filter or to reconcile; leave out where and totals"
    elif table.joins and not table.inputs:
        yield "inputs", "it is empty; name the facts that the joins describe: (fact_orders.TABLE,)"


def _joins(table: GoldTable) -> Faults:
    own, facts = table.own_fact_types, table.facts_key
    for i, join in enumerate(table.joins):
        field, members = f"joins[{i}]", join.table.types
        if join.table.layer == "bronze":
            yield f"{field}.table", f"{join.table.key} is not validated; join its silver table or a dimension"
        yield from unknown(f"{field}.on", [join.on], own, facts)
        key = "key" if join.key else "on"
        mend = "" if join.key else "write key=, or "
        yield from unknown(f"{field}.{key}", [join.key or join.on], members, join.table.key, mend)
        yield from listed(f"{field}.columns", join.columns, members, join.table.key)
        yield from unknown(f"{field}.follows", join.followed, join.columns, f"{field}.columns")
        if join.at:
            yield from unknown(f"{field}.at", [join.at], own, facts)
            if not {"valid_from", "valid_to"} <= members.keys():
                yield (
                    f"{field}.at",
                    f"{join.table.key} keeps no versions, of which one is valid then; leave it out",
                )
        yield from _attached_twice(table.joins[:i], join, field)


def _attached_twice(before: Collection[Join], join: Join, field: str) -> Faults:
    for name in join.columns:
        if any(name in other.columns for other in before):
            yield f"{field}.columns", f"{name!r} is attached by an earlier join, too; leave one out"


def _write(table: GoldTable) -> Faults:
    if isinstance(table.write, Dimension):
        yield from unknown("write.surrogate", [table.write.surrogate], table.column_names, table.key)
        yield from listed("write.keys", table.write.keys, table.column_names, table.key)
    day = table.write.day_column
    if not day:
        return
    yield from unknown("write.column", [day], table.column_names, table.key)
    if table.types.get(day, "date") != "date":
        yield "write.column", f"{day!r} is a {table.types[day]} and no date; cast it in silver"
    if isinstance(table.write, ReplaceDay):
        yield from _days_of_facts(table, day)
    elif table.partition_by not in (None, INGESTION_DATE):
        yield "partition_by", f"an extract is partitioned by {INGESTION_DATE}; write that or nothing"


def _days_of_facts(table: GoldTable, day: str) -> Faults:
    """A day of gold is computed from the same day of its facts, and anew when that partition changes."""
    if not table.inputs:
        yield "write", "the calendar has no days that change; write ReplaceWhole() or Dimension(...)"
        return
    facts = table.inputs[0]
    partition = facts.partition_column
    if partition != day:
        is_by = f"partitioned by {partition}" if partition else "not partitioned"
        yield (
            "write.column",
            f"{facts.key} is {is_by}, so that the days of {day!r} that change cannot be told; "
            f"write partition_by={day!r} there, or ReplaceWhole() here",
        )
    elif facts.types.get(day) != "date":
        yield (
            "write.column",
            f"{day!r} is a {facts.types.get(day)} in {facts.key} and no date; cast it in silver",
        )
    elif not _is_never_null(facts, day):
        yield (
            "write.column",
            f"{day!r} may be NULL in {facts.key}, and such rows would be in no day; "
            f"add not_null({day!r}) to the rules of {table.fact.key}, or write ReplaceWhole() here",
        )


def _is_never_null(table: Table, name: str) -> bool:
    if isinstance(table, SilverTable):
        if name == INGESTION_DATE or (isinstance(table.write, Upsert) and name in table.write.keys):
            return True
        wanted = expression(not_null(name).predicate)
        severe = [rule for rule in table.row_rules if rule.severity is Severity.QUARANTINE]
        return any(_parsed(rule.predicate) == wanted for rule in severe)
    if not isinstance(table, GoldTable) or not table.inputs:
        return False
    return table.write.day_column == name or _is_never_null(table.inputs[0], name)


def _parsed(text: str) -> exp.Expr | None:
    try:
        return expression(text)
    except SqlError:
        return None


def _columns(table: GoldTable) -> Faults:
    if table.is_generated or (table.transform and not table.measures):
        return  # the transform makes them
    known = table.fact_types
    for i, column in enumerate(table.columns):
        field = f"columns[{i}]"
        if column.measure is None:
            is_surrogate = isinstance(table.write, Dimension) and column.name == table.write.surrogate
            if not is_surrogate:
                yield from unknown(field, [column.name], known, f"{table.facts_key} and its joins")
        elif column.measure.aggregate:
            yield from _measure(table, f"{field}.measure", column.name)
        elif not table.transform:
            yield f"{field}.measure", "derived() is computed by the table's transform, and there is none"


def _measure(table: GoldTable, field: str, name: str) -> Faults:
    text = table.aggregates[name]
    found = list(sql(field, text, table.fact_types, f"{table.facts_key} and its joins"))
    yield from found
    named = frozenset[tuple[str, ...]]() if found else columns_of(text)
    joined = {path[0] for path in named} - table.own_fact_types.keys()
    if joined and table.measures[name].total:
        yield (
            field,
            f"{min(joined)!r} is joined, and totals are compared before the joins; put it into the facts",
        )
