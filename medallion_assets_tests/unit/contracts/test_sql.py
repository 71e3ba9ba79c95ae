"""SQL as text: names and texts quoted, the columns of expressions, and types in one way of writing."""

import pytest

from medallion_assets.contracts import Measure, between, count, matches, not_null, one_of, total
from medallion_assets.contracts.sql_text import SqlError, columns_of, quoted_name, quoted_text
from medallion_assets.contracts.sql_types import NoSuchType, base_type, normal_type


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("TIMESTAMP", "timestamp"),
        ("Integer", "int"),
        ("long", "bigint"),
        ("dec( 18 ,2 )", "decimal(18,2)"),
        ("NUMERIC", "decimal(10,0)"),
        ("decimal(5)", "decimal(5,0)"),
        ("varchar(10)", "string"),
        ("timestamp_ntz", "timestamp_ntz"),
        ("array< LONG >", "array<bigint>"),
        ("map<string,array<int>>", "map<string,array<int>>"),
        ("STRUCT<a: int, `b c` string NOT NULL COMMENT 'x'>", "struct<a:int,`b c`:string>"),
    ],
)
def test_a_type_is_written_in_one_way(text: str, normal: str):
    assert normal_type(text) == normal == normal_type(normal)


@pytest.mark.parametrize(
    "text",
    [
        *("", "text", "decimal(39,0)", "decimal(2,3)", "decimal(1,2,3)", "array", "array<int", "map<int>"),
        *("int int", "struct<>", "varchar", "int(3)", "decimal(x)", "date;", "interval"),
    ],
)
def test_what_is_no_type_is_refused(text: str):
    with pytest.raises(NoSuchType):
        normal_type(text)


def test_the_base_of_a_type_has_no_parameters():
    assert [base_type(text) for text in ("decimal(18,2)", "array<int>", "date")] == [
        "decimal",
        "array",
        "date",
    ]


def test_names_that_are_no_plain_words_are_quoted():
    names = ["order_id", "order-id", "order.id", "größe", "select", "a`b", "1st", "date"]
    quoted = ["order_id", "`order-id`", "`order.id`", "`größe`", "`select`", "`a``b`", "`1st`", "`date`"]
    assert [quoted_name(name) for name in names] == quoted
    for name in names:
        assert columns_of(f"{quoted_name(name)} IS NOT NULL") == {(name,)}


def test_texts_are_quoted():
    assert quoted_text("it's a \\d") == r"'it\'s a \\d'"
    assert one_of("a", ("x'y",)).predicate == r"a IN ('x\'y')"
    assert matches("a", r"^\d+$").predicate == r"a IS NULL OR a RLIKE r'^\d+$'"
    assert matches("a", r"'\d").predicate == r"a IS NULL OR a RLIKE '\'\\d'"


def test_a_rule_is_named_by_the_letters_of_its_column():
    assert not_null("order_id").name == "order_id_not_null"
    names = {not_null(name).name for name in ("order-id", "order.id", "order_id", "größe")}
    assert len(names) == 4 and all(name.isascii() and name.isidentifier() for name in names)


@pytest.mark.parametrize(
    ("sql", "columns"),
    [
        ("a IS NULL OR a RLIKE r'^[a-z]+$'", {("a",)}),
        ("nullif(trim(_landed.`order-id`), '') IS NULL", {("_landed", "order-id")}),
        ("a <= _ingestion_timestamp + INTERVAL 900 SECONDS", {("a",), ("_ingestion_timestamp",)}),
        ("try_cast(a AS DECIMAL(38, 18)) >= DATE'2026-01-01'", {("a",)}),
        ("exists(xs, x -> x > y)", {("xs",), ("y",)}),
        ("sum(CASE WHEN a <> -1 THEN b END) / count(DISTINCT c)", {("a",), ("b",), ("c",)}),
        ("extract(YEAR FROM a) = 2026 -- b", {("a",)}),
        ("datediff(DAY, a, current_date) > 1", {("a",)}),
        ("a IN ('b', \"c\") AND m['k'] = 1", {("a",), ("m",)}),
        ("1 = 1", set()),
    ],
)
def test_the_columns_of_an_expression(sql: str, columns: set):
    assert columns_of(sql) == columns


@pytest.mark.parametrize("sql", ["", "a =", "(a", "a b", "a AND", "a; b", "SELECT a FROM b", "count("])
def test_what_is_no_expression_is_refused(sql: str):
    with pytest.raises(SqlError):
        columns_of(sql)


def test_a_measure_is_of_a_column_or_of_an_expression():
    assert count("order-id").sql({"order-id"}) == "count(`order-id`)"
    assert count("order-id").sql({"order", "id"}) == "count(order-id)"
    assert total("a * b").sql({"a", "b"}) == "sum(a * b)"
    assert Measure("max(a) - min(a)").sql({"a"}) == "max(a) - min(a)"


def test_bounds_are_literals():
    assert between("a-b", "1", "DATE'2026-01-01'").predicate == (
        "`a-b` IS NULL OR (`a-b` >= 1 AND `a-b` <= DATE'2026-01-01')"
    )
