"""Every declaration that is refused: declaration in, message out."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from types import ModuleType
from typing import Any

import pytest

from medallion_assets.contracts import (
    BronzeTable,
    Column,
    Dimension,
    Extract,
    FileOrder,
    FollowDelta,
    FollowTable,
    FollowTopic,
    GoldTable,
    Join,
    Land,
    Measure,
    Op,
    ReplaceDay,
    ReplaceWhole,
    Rule,
    Scd2,
    Severity,
    SilverTable,
    Table,
    Total,
    Upsert,
    between,
    count,
    derived,
    not_null,
    one_of,
    total,
)
from medallion_assets.contracts.declaration import DeclarationError, check
from medallion_assets.contracts.payloads import Avro
from medallion_assets.tables import EXAMPLES, find_tables

BRONZE = BronzeTable(
    name="orders",
    description="As landed",
    write=Land("orders"),
    columns=(Column("id"), Column("day"), Column("price"), Column("shop"), Column("at"), Column("order-id")),
)
SHOPS = BronzeTable(name="shops", description="As landed", write=Land("shops"), columns=(Column("shop"),))
TILLS = replace(BRONZE, name="tills", write=Land("tills"))
SILVER = SilverTable(
    name="orders",
    description="Orders",
    inputs=(BRONZE,),
    write=Upsert(keys=("id",), sequence_by=("at",)),
    partition_by="day",
    columns=(
        Column("id"),
        Column("day", "date"),
        Column("price", "decimal(18,2)"),
        Column("shop"),
        Column("at", "timestamp"),
        Column("order-id"),
    ),
    rules=(not_null("day"),),
)
MEMBERS = GoldTable(
    name="dim_shop",
    description="Shops",
    inputs=(SILVER,),
    write=Dimension(surrogate="shop_key", keys=("shop",)),
    columns=(Column("shop_key"), Column("shop"), Column("price", "decimal(18,2)")),
)
GOLD = GoldTable(
    name="sales",
    description="Sales",
    inputs=(SILVER,),
    joins=(Join(MEMBERS, on="shop", columns=("shop_key",)),),
    write=ReplaceDay("day"),
    partition_by="day",
    columns=(
        Column("day", "date"),
        Column("shop_key"),
        Column("n", "bigint", measure=count("order-id")),
        Column("amount", "decimal(28,2)", measure=total("price")),
    ),
)
CALENDAR = GoldTable(
    name="dim_date",
    description="Days",
    write=Dimension(surrogate="date_key", keys=("date",)),
    columns=(Column("date_key", "int"), Column("date", "date")),
    transform=lambda days: days,
)
ALL = (BRONZE, SHOPS, SILVER, MEMBERS, GOLD, CALENDAR)


def faults(table: Table, *others: Table) -> list[str]:
    """The lines that tell of a table; `others` take the place of those of the same key."""
    known: dict[str, Table] = {one.key: one for one in (*ALL, *others, table)}
    try:
        check(list(known.values()))
    except DeclarationError as error:
        return list(error.faults)
    return []


def columns(table: Table, *more: Column) -> Table:
    return replace(table, columns=(*table.columns, *more))


def column(**fields: Any) -> Column:
    return replace(Column("id"), **fields)


def keyed(**fields: Any) -> Table:
    return replace(SILVER, write=replace(SILVER.write, **fields))


def topic(name: str, **fields: Any) -> Table:
    write = FollowTopic(name, **{"servers": "$BROKERS", **fields})
    return BronzeTable(name="events", description="As sent", write=write)


def ruled(*rules: Rule) -> Table:
    return replace(SILVER, rules=(not_null("day"), *rules))


def rule(predicate: str, *judged: str, name: str = "mine", **fields: Any) -> Table:
    return ruled(Rule(name, predicate, judged or ("price",), **fields))


def joined(**fields: Any) -> Table:
    return replace(GOLD, joins=(replace(GOLD.joins[0], **fields),))


def measured(measure: Measure) -> Table:
    return columns(GOLD, Column("x", "bigint", measure=measure))


def over(silver: SilverTable) -> Callable[[], list[str]]:
    """Gold by day over another silver table."""
    return lambda: faults(replace(GOLD, inputs=(silver,), joins=()), silver)


def scd2(**fields: Any) -> Table:
    given: dict[str, Any] = {"keys": ("id",), "sequence_by": ("at",), "tracked": ("shop",)}
    return replace(SILVER, write=Scd2(**(given | fields)))


NO_SUCH = "is no column of"
REFUSED: list[tuple[Any, str]] = [
    # Names and places
    (
        replace(SILVER, name="my orders"),
        "silver/my orders: name: 'my orders' may have letters, digits and _ alone",
    ),
    (
        replace(SILVER, file="/x/tables/silver/order.py"),
        "tables/silver/order.py: name: the table is 'orders' and its file",
    ),
    (replace(SILVER, file="/x/tables/gold/orders.py"), "layer: a SilverTable in gold; move it to silver"),
    (
        replace(SILVER, inputs=(replace(BRONZE, name="gone"),)),
        "inputs: bronze/gone is no table of this repository",
    ),
    (replace(SILVER, owners=("Ann",)), "owners: 'Ann' is neither an e-mail address nor team:<name>"),
    # Types of fields
    (
        replace(SILVER, inputs=BRONZE),
        "inputs: bronze/orders is a BronzeTable, where a tuple is due; write (..., )",
    ),
    (replace(SILVER, inputs=(GOLD,)), "inputs[0]: gold/sales is a GoldTable, where a BronzeTable is due"),
    (replace(SILVER, inputs=(ModuleType("tables.bronze.orders"),)), "is a module: its table is orders.TABLE"),
    (keyed(keys="order_id"), "write.keys: 'order_id' is a text, where a tuple is due; write ('order_id',)"),
    (replace(SILVER, rules=not_null("day")), "rules: Rule("),
    (replace(SILVER, rules=("day",)), "rules[0]: 'day' is a text, where a Rule is due"),
    (
        replace(SILVER, write=Land("orders")),
        "is a Land, where a Upsert or a Scd2",
    ),
    (replace(SILVER, quarantine_limit="0.5"), "quarantine_limit: '0.5' is a text, where a number is due"),
    (replace(SILVER, purge_after=30), "purge_after: 30 is a int, where a timedelta or None is due"),
    (replace(SILVER, columns=(column(name=1),)), "columns[0].name: 1 is a int, where a text is due"),
    (replace(SILVER, columns=(column(description=("d",)),)), "columns[0].description: ('d',) is a tuple"),
    (joined(columns="shop_key"), "joins[0].columns: 'shop_key' is a text, where a tuple is due"),
    (replace(GOLD, sort_by="day"), "sort_by: 'day' is a text, where a tuple is due; write ('day',)"),
    (replace(GOLD, tags={"a": 1}), "tags: {'a': 1} is a dict, where a dict of texts is due"),
    # Columns
    (
        columns(SILVER, Column("ID")),
        "columns[6]: 'ID' is a column twice (capitals do not count); leave one out",
    ),
    (columns(SILVER, Column("_x")), "columns[6]: '_x' begins with _, as only the lake's own columns do"),
    (columns(SILVER, Column("")), "columns[6]: '' is no name of a column"),
    (
        columns(SILVER, Column("order id")),
        "columns[6]: 'order id' is no name of a column: Delta takes no blank and",
    ),
    (
        columns(SILVER, Column("x", "decimal(40,2)")),
        "columns[6].type: 'decimal(40,2)': a decimal has 1 to 38 digits",
    ),
    (columns(SILVER, Column("x", "text")), "columns[6].type: 'text' is no type of Spark's SQL"),
    (columns(SILVER, Column("x", measure=count("id"))), "columns[6].measure: only gold has measures"),
    (
        columns(SILVER, Column("x", lineage=("bronze.orders.x",))),
        f"columns[6].lineage: 'x' {NO_SUCH} bronze/orders",
    ),
    (
        columns(SILVER, Column("x", lineage=("id",))),
        "columns[6].lineage: 'id' is no layer.table.column of what",
    ),
    (replace(SILVER, columns=()), "columns: none are declared"),
    # Days and shares
    (replace(SILVER, due=timedelta(hours=-1)), "due: -1 day, 23:00:00 is negative"),
    (replace(SILVER, purge_after=timedelta(-30)), "purge_after: -30 days, 0:00:00 is negative"),
    (
        replace(SILVER, days_off=("SONNTAG",)),
        "days_off: 'SONNTAG' is neither a weekday, such as SUNDAY, nor a date",
    ),
    (replace(SILVER, quarantine_limit=50), "quarantine_limit: 50 is no share; write 0 to 1"),
    (replace(SILVER, quarantine_limit=-0.1), "quarantine_limit: -0.1 is no share"),
    (replace(SILVER, quarantine_least=-1), "quarantine_least: -1 is no number of rows"),
    # Bronze
    (replace(BRONZE, write=Land("")), "write.source: it is empty; write the folder below the landing area"),
    (replace(BRONZE, write=Land("a/b")), "write.source: 'a/b' is a path; write the name of one folder"),
    (replace(BRONZE, transform=lambda rows: rows), "transform: bronze keeps rows as they land"),
    (replace(BRONZE, write=FollowDelta("$X", ("sku",))), f"write.keys: 'sku' {NO_SUCH} bronze/orders"),
    (replace(BRONZE, write=FollowDelta("$X", ())), "write.keys: it is empty; name one at least of: id, day"),
    (
        replace(BRONZE, write=FollowTable("X", "t", ("id",))),
        f"write.watermark: 'updated_at' {NO_SUCH} bronze/orders",
    ),
    (
        replace(BRONZE, write=FollowTable("X", "t", ("id",), "at", partitions=0)),
        "write.partitions: 0 connections",
    ),
    (
        replace(BRONZE, write=FollowTable("X", "t", ("id",), "at", timedelta(-1))),
        "write.overlap: -1 day, 0:00:00 is",
    ),
    (topic(""), "write.topic: it is empty; write the topic's name"),
    (topic("t", servers=""), "write.servers: it is empty; write host:port, or $NAME"),
    (topic("t", settings='{"sasl.password": "x"}'), "write.settings: it may hold a password; write $NAME"),
    (topic("t", begin="latest"), "write.begin: 'latest' is no beginning; write 'earliest' or a time"),
    (topic("t", payload=Avro("")), "write.payload.registry: it is empty; write the registry's URL, or $NAME"),
    (topic("t", payload=Avro("http://a:b@c")), "write.payload.registry: it may hold a password; write $NAME"),
    (topic("t", payload=Avro("$R", Avro("$R"))), "write.payload.holds: Avro holds no Avro; write Json() or"),
    (topic("t", batch_messages=0), "write.batch_messages: 0 messages are no batch; write 1 or more"),
    (
        replace(topic("t"), columns=(Column("id"),)),
        "columns: the messages of a topic have columns of their own",
    ),
    # Silver: keys, sequence, inputs
    (keyed(keys=()), "write.keys: it is empty; name one at least of: id, day, price"),
    (
        keyed(keys=("sku",)),
        f"write.keys: 'sku' {NO_SUCH} silver/orders; name one of: id, day, price, shop, at",
    ),
    (keyed(keys=("id", "id")), "write.keys: 'id' is in it twice; leave one out"),
    (keyed(sequence_by=("lsn",)), f"write.sequence_by: 'lsn' {NO_SUCH} silver/orders"),
    (keyed(op="change"), f"write.op: 'change' {NO_SUCH} bronze/orders"),
    (keyed(op=Op("change")), f"write.op.field: 'change' {NO_SUCH} bronze/orders"),
    (keyed(op=Op("payload.op")), f"write.op.field: 'payload.op' {NO_SUCH} bronze/orders"),
    (keyed(op=Op("shop", deletes="colour = 1")), f"write.op.deletes: 'colour' {NO_SUCH} bronze/orders"),
    (keyed(op=Op("shop", ignores="_op IS")), "write.op.ignores: '_op IS' is no SQL expression"),
    (keyed(op=Op("shop", ("d",), ("D",))), "write.op: 'D' is in two of deletes, ignores and upserts"),
    (
        keyed(file_order=FileOrder(by="size")),
        "write.file_order.by: 'size' is no order of files; write 'name'",
    ),
    (
        columns(SILVER, Column("x", source="payload.x")),
        f"columns[6].source: 'payload.x' {NO_SUCH} bronze/orders",
    ),
    (columns(BRONZE, Column("x", source="id")), "columns[6].source: only silver reads landed columns"),
    (scd2(sequence_by=()), "write.sequence_by: versions need the time of each change"),
    (scd2(tracked=("colour",)), f"write.tracked: 'colour' {NO_SUCH} silver/orders"),
    (scd2(tracked=()), "write.tracked: it is empty"),
    (
        columns(scd2(), Column("valid_from", "timestamp")),
        "columns: 'valid_from' is a column that versions add",
    ),
    (replace(SILVER, inputs=()), "inputs: it is empty; name the bronze table"),
    (
        replace(SILVER, inputs=(BRONZE, SHOPS)),
        "inputs[1]: bronze/shops has no 'id', by which the changes of all",
    ),
    (
        replace(SILVER, inputs=(BRONZE, SHOPS)),
        "inputs[1]: bronze/shops has no 'at', by which the changes of all",
    ),
    (
        replace(SILVER, inputs=(BRONZE, TILLS), write=Upsert(("id",))),
        "write.sequence_by: it is empty; name the column that orders the changes of all inputs",
    ),
    (replace(SILVER, inputs=(BRONZE, BRONZE)), "inputs[1]: bronze/orders is in it twice; leave one out"),
    (
        replace(SILVER, inputs=(BRONZE, replace(TILLS, write=Land("orders")))),
        "inputs[1]: bronze/tills reads the folder 'orders' as another input does; leave one out",
    ),
    (
        replace(SILVER, inputs=(TILLS, topic("events")), write=replace(SILVER.write, file_order=FileOrder())),
        "write.file_order: bronze/events has no files, but batches in order; leave it out",
    ),
    (replace(SILVER, partition_by="month"), f"partition_by: 'month' {NO_SUCH} silver/orders"),
    (
        replace(columns(SILVER, Column("the.day", "date")), partition_by="the.day"),
        "partition_by: Delta cannot merge by a partition whose name has a dot or a backtick, as 'the.day'",
    ),
    (replace(SILVER, write=ReplaceDay("day")), "write.column: silver replaces ingestion days, not 'day'"),
    (
        replace(SILVER, write=ReplaceDay()),
        "partition_by: 'day' is no column of silver/orders; name one of: _ingestion_d",
    ),
    # Silver: rules
    (
        ruled(not_null("day", Severity.WARN)),
        "rules[0]: 2 rules are named 'day_not_null'; name each otherwise",
    ),
    (ruled(not_null("id", Severity.WARN)), "rules[1]: 'id_not_null' follows from the key and sequence"),
    (
        ruled(not_null("sku")),
        f"rules[1].predicate: 'sku' {NO_SUCH} silver/orders; declare it as a column, or name one",
    ),
    (rule("price > 0", "prize"), f"rules[1].columns: 'prize' {NO_SUCH} silver/orders"),
    (rule("price >"), "rules[1].predicate: 'price >' is no SQL expression: "),
    (rule("(price > 0"), "rules[1].predicate: '(price > 0' is no SQL expression: Expecting )"),
    (rule(""), "rules[1].predicate: '' is no SQL expression: "),
    (
        rule("price price"),
        "rules[1].predicate: 'price price' is no SQL expression: it is no single expression",
    ),
    (rule("price > 0; DROP TABLE x"), "is no SQL expression: it is no single expression"),
    (rule("1 = 1"), "rules[1].predicate: '1 = 1' names no column"),
    (rule("_landed.prize > 0"), f"rules[1].predicate: 'prize' {NO_SUCH} the landed rows"),
    (rule("price > 0", weight=-1), "rules[1].weight: -1 is negative"),
    (rule("price > 0", name="price > 0"), "rules[1].name: 'price > 0' may have letters, digits and _ alone"),
    (rule("price > 0", name="unique_key"), "rules[1].name: 'unique_key' is another check of silver"),
    (rule("price > 0", name="open_days"), "rules[1].name: 'open_days' is another check of silver"),
    (
        ruled(Rule("mine", "price > 0", ())),
        "rules[1].columns: it is empty; name the columns that mine judges",
    ),
    (ruled(between("price", "0", "max")), f"rules[1].predicate: 'max' {NO_SUCH} silver/orders"),
    # Gold: inputs and days
    (
        replace(GOLD, inputs=(SILVER, CALENDAR)),
        "inputs[1]: nothing reads gold/dim_date; leave it out, or join it",
    ),
    (
        replace(GOLD, inputs=(BRONZE,)),
        "inputs[0]: gold is not made of bronze/orders, whose rows are not validated",
    ),
    (replace(GOLD, inputs=()), "inputs: it is empty; name the facts that the joins describe"),
    (
        over(replace(SILVER, partition_by=None)),
        "write.column: silver/orders is not partitioned, so that the days of 'day'",
    ),
    (
        over(replace(SILVER, partition_by="shop")),
        "write.column: silver/orders is partitioned by shop, so that",
    ),
    (
        over(replace(SILVER, rules=())),
        "write.column: 'day' may be NULL in silver/orders, and such rows would be in no",
    ),
    (
        over(replace(SILVER, rules=(not_null("day", Severity.WARN),))),
        "write.column: 'day' may be NULL in silver/orders",
    ),
    (
        over(replace(SILVER, columns=(*SILVER.columns[:1], Column("day"), *SILVER.columns[2:]))),
        "write.column: 'day' is a string in silver/orders and no date; cast it in silver",
    ),
    (replace(GOLD, columns=GOLD.columns[1:]), f"write.column: 'day' {NO_SUCH} gold/sales"),
    (
        replace(GOLD, columns=(Column("day"), *GOLD.columns[1:])),
        "write.column: 'day' is a string and no date",
    ),
    (
        replace(GOLD, write=ReplaceDay("date"), inputs=(), joins=()),
        "write: the calendar has no days that change",
    ),
    (replace(GOLD, write=Extract(SILVER)), "inputs: an extract reads the files of its silver contract"),
    # Gold: joins
    (
        joined(on="shopp"),
        f"joins[0].on: 'shopp' {NO_SUCH} silver/orders; name one of: id, day, price, shop, at",
    ),
    (
        joined(on="id"),
        f"joins[0].on: 'id' {NO_SUCH} gold/dim_shop; write key=, or name one of: shop_key, shop, price",
    ),
    (joined(key="sku"), f"joins[0].key: 'sku' {NO_SUCH} gold/dim_shop"),
    (joined(columns=("colour",)), f"joins[0].columns: 'colour' {NO_SUCH} gold/dim_shop"),
    (joined(columns=()), "joins[0].columns: it is empty"),
    (joined(follows=("shop",)), f"joins[0].follows: 'shop' {NO_SUCH} joins[0].columns"),
    (joined(at="day"), "joins[0].at: gold/dim_shop keeps no versions"),
    (joined(at="hour"), f"joins[0].at: 'hour' {NO_SUCH} silver/orders"),
    (joined(table=BRONZE), "joins[0].table: bronze/orders is not validated"),
    (replace(GOLD, joins=GOLD.joins * 2), "joins[1].columns: 'shop_key' is attached by an earlier join, too"),
    # Gold: columns, measures, totals
    (columns(GOLD, Column("colour")), f"columns[4]: 'colour' {NO_SUCH} silver/orders and its joins"),
    (measured(count("order_id")), f"columns[4].measure: 'order_id' {NO_SUCH} silver/orders and its joins"),
    (measured(total("price +")), "columns[4].measure: 'sum(price +)' is no SQL expression"),
    (
        measured(count("shop_key")),
        "columns[4].measure: 'shop_key' is joined, and totals are compared before the joins",
    ),
    (
        measured(derived()),
        "columns[4].measure: derived() is computed by the table's transform, and there is none",
    ),
    (replace(GOLD, where="shop = 'x' AND"), "where: \"shop = 'x' AND\" is no SQL expression"),
    (replace(GOLD, where="shop_key = 'x'"), f"where: 'shop_key' {NO_SUCH} silver/orders"),
    (replace(GOLD, totals=(Total("n", "sum(m)", "count(id)"),)), f"totals[0].rows: 'm' {NO_SUCH} gold/sales"),
    (
        replace(GOLD, totals=(Total("n", "sum(n)", "count(sku)"),)),
        f"totals[0].facts: 'sku' {NO_SUCH} silver/orders",
    ),
    (
        replace(GOLD, sort_by=("shop",)),
        f"sort_by: 'shop' {NO_SUCH} gold/sales; name one of: day, shop_key, n",
    ),
    (replace(GOLD, partition_by="month"), f"partition_by: 'month' {NO_SUCH} gold/sales"),
    (replace(MEMBERS, write=Dimension("key", ("shop",))), f"write.surrogate: 'key' {NO_SUCH} gold/dim_shop"),
    (replace(MEMBERS, write=Dimension("shop_key", ("sku",))), f"write.keys: 'sku' {NO_SUCH} gold/dim_shop"),
    (replace(MEMBERS, write=Dimension("shop_key", ())), "write.keys: it is empty"),
]


@pytest.mark.parametrize(("declared", "message"), REFUSED, ids=[message for _, message in REFUSED])
def test_what_cannot_be_is_refused(declared: Any, message: str):
    found = faults(declared) if isinstance(declared, Table) else declared()
    assert any(message in line for line in found), found


@pytest.mark.parametrize(
    "table",
    [
        *ALL,
        scd2(),
        keyed(keys=("order-id",), sequence_by=()),
        ruled(one_of("order-id", ("it's", "a\\b")), not_null("order-id", Severity.WARN)),
        rule("exists(split(shop, ','), part -> part = id) AND at < _ingestion_timestamp"),
        rule("_landed.shop RLIKE r'^\\d+$' OR `order-id` IS NULL"),
        measured(Measure("count(*)", "sum")),
        measured(total("CASE WHEN shop = 'x' THEN price END")),
        replace(SILVER, partition_by=None, write=ReplaceDay()),
        replace(GOLD, write=ReplaceWhole()),
    ],
    ids=lambda table: table.key,
)
def test_what_can_be_is_not(table: Table):
    assert faults(table) == []


def test_all_faults_of_all_tables_are_told_at_once():
    bad = replace(SILVER, quarantine_limit=2, write=replace(SILVER.write, keys=("x", "y")))
    with pytest.raises(DeclarationError) as error:
        check([replace(BRONZE, write=Land("")), bad, replace(GOLD, where="(")])
    lines = str(error.value).splitlines()
    assert len(error.value.faults) == len(lines) - 1 >= 5
    assert {line.split(":")[0] for line in error.value.faults} >= {
        "bronze/orders",
        "silver/orders",
        "gold/sales",
    }


def test_the_tables_of_the_repository_and_its_examples_are_as_they_must_be():
    assert {"silver/orders", "gold/daily_sales", "silver/web_orders"} <= find_tables(EXAMPLES).keys()
