"""What is new in a PostgreSQL table, by a real server: nothing lost, nothing torn, errors that say how to mend."""

from contextlib import contextmanager
from datetime import timedelta
from urllib.parse import quote

import pytest
from psycopg.conninfo import make_conninfo

from medallion_assets.contracts.bronze import FollowTable
from medallion_assets.contracts.watermark import SourceOffset
from medallion_assets.lakehouse.sources import postgres_connection, postgres_source
from medallion_assets.lakehouse.sources.base import SourceError
from medallion_assets_tests.support.postgres_server import Database

TEN = "2026-01-05T10:00:00.000000+00:00"


@pytest.fixture
def shop(database: Database, monkeypatch) -> Database:
    """The server, under the variable SHOP, and in it a table `orders` of its own schema for each test."""
    monkeypatch.setenv("SHOP", database.url)
    database.execute("DROP SCHEMA IF EXISTS shop CASCADE; CREATE SCHEMA shop")
    database.execute("CREATE TABLE shop.orders (id int PRIMARY KEY, status text, updated_at timestamptz)")
    return database


def orders(**changed) -> FollowTable:
    return FollowTable(**{"connection": "SHOP", "table": "shop.orders", "keys": ("id",), **changed})


def insert(shop: Database, *rows: str) -> None:
    shop.execute(f"INSERT INTO shop.orders VALUES {', '.join(rows)}")


def pulled(spark, since: SourceOffset | None, **changed) -> tuple[list[int], SourceOffset]:
    """The ids, sorted, and the offset."""
    with postgres_source.pull(spark, orders(**changed), since) as batch:
        return sorted(int(row.id) for row in batch.rows.collect()), plain(batch.offset)


def plain(offset: SourceOffset) -> SourceOffset:
    """Without the sum of transaction numbers, which no test can know."""
    return SourceOffset(offset.value, offset.row_count)


def test_values_come_as_postgresql_writes_them(spark, shop):
    shop.execute("""
        CREATE TABLE shop."Odd" ("Id" int, amount numeric(38,10), ratio float8, at timestamptz, wall timestamp,
            day date, note text, doc json, docb jsonb, tags text[], bytes bytea, flag bool, "say ""hi"", %s ?" text);
        INSERT INTO shop."Odd" VALUES
        (1, 1234567890123456789012345678.0000000001, 0.1::float8 + 0.2, '2026-01-05 10:00:00.123456+09',
         '2026-01-05 10:00:00.5', '2026-01-05', E'a, "b" ''c''\\n\\\\ Grüße 🎉', '{"a":  1.10}', '{"a":  1.10}',
         '{x,"y, z",NULL}', '\\x00ff', true, '%s ?'),
        (2, NULL, NULL, NULL, NULL, NULL, '', NULL, NULL, NULL, NULL, NULL, NULL)
    """)
    with postgres_source.pull(spark, orders(table="shop.Odd", watermark="at"), None) as batch:
        assert batch.rows.columns[:2] == ["Id", "amount"]
        assert batch.rows.columns[-1] == 'say "hi", %s ?'
        assert {type_ for _, type_ in batch.rows.dtypes} == {"string"}
        first, second = sorted(tuple(row) for row in batch.rows.collect())
    assert first == (
        "1", "1234567890123456789012345678.0000000001", "0.30000000000000004", "2026-01-05 01:00:00.123456+00",
        "2026-01-05 10:00:00.5", "2026-01-05", "a, \"b\" 'c'\n\\ Grüße 🎉", '{"a":  1.10}', '{"a": 1.10}',
        '{x,"y, z",NULL}', "\\x00ff", "true", "%s ?",
    )  # fmt: skip
    assert second == ("2", None, None, None, None, None, "", None, None, None, None, None, None)
    assert (
        plain(batch.offset) == SourceOffset("2026-01-05T01:00:00.123456+00:00", row_count=2)
        and not batch.exact
    )


def test_after_the_mark_come_the_overlap_and_the_rows_without_a_stamp(spark, shop):
    insert(
        shop, "(1, 'old', '2026-01-05 09:00+00')", "(2, 'none', NULL)", "(3, 'new', '2026-01-05 10:00+00')"
    )
    ids, offset = pulled(spark, None)
    assert (ids, offset) == ([1, 2, 3], SourceOffset(TEN, row_count=2))
    insert(shop, "(4, 'within', '2026-01-05 09:45+00')", "(5, 'below', '2026-01-05 09:44:59.999999+00')")
    assert pulled(spark, offset) == ([2, 3, 4], SourceOffset(TEN, row_count=3))
    assert pulled(spark, offset, overlap=timedelta(hours=1))[0] == [1, 2, 3, 4, 5]
    insert(shop, "(6, 'next', '2026-01-05 11:00+00')")
    assert pulled(spark, offset) == (
        [2, 3, 4, 6],
        SourceOffset("2026-01-05T11:00:00.000000+00:00", row_count=2),
    )


def test_a_row_stamped_before_the_mark_and_committed_after_it_comes_next_time(spark, shop):
    with shop.connect() as slow:
        slow.execute("INSERT INTO shop.orders VALUES (1, 'slow', '2026-01-05 09:55+00')")
        insert(shop, "(2, 'quick', '2026-01-05 10:00+00')")
        ids, offset = pulled(spark, None)
        assert (ids, offset) == ([2], SourceOffset(TEN, row_count=1))
    assert plain(postgres_source.observe(orders(), offset)) == SourceOffset(TEN, row_count=2)
    assert pulled(spark, offset)[0] == [1, 2]


def test_what_is_stamped_far_ahead_is_pulled_but_moves_no_mark(spark, shop):
    insert(shop, "(1, 'new', '2026-01-05 10:00+00')", "(2, 'far', now() + interval '10 years')")
    insert(shop, "(3, 'never', 'infinity')", "(4, 'ever', '-infinity')", "(5, 'old', '4000-01-01 BC')")
    ids, offset = pulled(spark, None, partitions=2)
    assert (ids, offset) == ([1, 2, 3, 4, 5], SourceOffset(TEN, row_count=3))
    assert pulled(spark, offset) == ([1, 2, 3], offset)
    shop.execute("DELETE FROM shop.orders WHERE id IN (1, 4, 5)")
    assert pulled(spark, offset) == ([2, 3], SourceOffset(TEN, row_count=2))  # never back


def test_observe_tells_a_change_from_none(shop):
    assert postgres_source.observe(orders(), None) == SourceOffset("")
    assert plain(postgres_source.observe(orders(), SourceOffset(""))) == SourceOffset("", row_count=0)
    insert(shop, "(1, 'new', '2026-01-05 09:00+00')", "(2, 'new', '2026-01-05 10:00+00')")
    offset = SourceOffset("")
    for _ in range(2):  # of the whole table, then of the overlap
        offset = postgres_source.observe(orders(), offset)
    assert postgres_source.observe(orders(), offset) is offset
    insert(shop, "(3, 'ahead', now() + interval '1 hour')")
    offset = postgres_source.observe(orders(), offset)
    assert plain(offset) == SourceOffset(TEN, row_count=2)
    shop.execute(
        "UPDATE shop.orders SET status = 'odd' WHERE id = 2"
    )  # neither its stamp nor the count moves
    assert postgres_source.observe(orders(), offset) != offset
    shop.execute("DELETE FROM shop.orders WHERE id = 3")
    shop.execute(
        "UPDATE shop.orders SET status = 'paid', updated_at = '2026-01-05 10:00:00.000001+00' WHERE id = 1"
    )
    assert plain(postgres_source.observe(orders(), offset)) == SourceOffset(
        "2026-01-05T10:00:00.000001+00:00", row_count=2
    )
    shop.execute("TRUNCATE shop.orders")
    assert plain(postgres_source.observe(orders(), offset)) == SourceOffset(TEN, row_count=0)


@pytest.mark.parametrize("type_, offset", [("timestamp", TEN), ("date", "2026-01-05T00:00:00.000000+00:00")])
def test_a_stamp_without_zone_is_utc_and_a_day_begins_at_midnight(spark, shop, type_, offset):
    shop.execute(f"ALTER TABLE shop.orders ALTER updated_at TYPE {type_} USING NULL")
    insert(shop, "(1, 'old', '2026-01-04 09:00')", "(2, 'new', '2026-01-05 10:00')", "(3, 'inf', 'infinity')")
    assert pulled(spark, None, partitions=3) == ([1, 2, 3], SourceOffset(offset, row_count=2))
    assert pulled(spark, SourceOffset(offset))[0] == [2, 3]


@pytest.mark.parametrize("partitions", [1, 4])
def test_rows_and_mark_are_of_the_moment_the_pull_began(spark, shop, partitions):
    insert_many = (
        "INSERT INTO shop.orders SELECT i, 'new', '2026-01-01+00'::timestamptz + i * '1 min'::interval"
    )
    shop.execute(f"{insert_many} FROM generate_series(1, 1000) i")
    shop.execute("UPDATE shop.orders SET updated_at = NULL WHERE id % 100 = 0")
    with postgres_source.pull(spark, orders(partitions=partitions), None) as batch:
        shop.execute(
            "UPDATE shop.orders SET updated_at = '2026-02-01+00'; DELETE FROM shop.orders WHERE id = 7"
        )
        insert(
            shop, "(1001, 'late', '2026-02-01+00')", "(1002, 'late', NULL)", "(1003, 'late', '2026-01-01+00')"
        )
        assert batch.rows.rdd.getNumPartitions() == partitions
        assert sorted(int(row.id) for row in batch.rows.collect()) == list(range(1, 1001))
        assert batch.rows.where("updated_at IS NULL").count() == 10
    assert plain(batch.offset) == SourceOffset("2026-01-01T16:39:00.000000+00:00", row_count=26)
    assert postgres_source.observe(orders(), batch.offset).row_count == 1001


def test_an_emptied_table_is_not_taken_for_one_without_news(spark, shop):
    with refused("is empty and was followed to 2026-01-05T10:00", "restore it", "reset_watermark"):
        pulled(spark, SourceOffset(TEN, row_count=1))
    assert pulled(spark, None) == ([], SourceOffset(""))
    assert pulled(spark, SourceOffset("")) == ([], SourceOffset(""))


@contextmanager
def refused(*said: str):
    with pytest.raises(SourceError) as caught:
        yield
    message = str(caught.value)
    assert all(part in message for part in said), message
    assert "shop." in message and "SHOP" in message and "\n" not in message
    assert not any(word in message for word in ("p@ss", "p%40ss", "secret"))


def test_a_contract_that_the_database_does_not_meet(shop):
    with refused(f"shop.nope at 127.0.0.1:{shop.port}/postgres (SHOP)", "create it", "`table`"):
        postgres_source.observe(orders(table="shop.nope"), None)
    with refused("it has no column changed_at", "`watermark`"):
        postgres_source.observe(orders(watermark="changed_at"), None)
    with refused("the watermark id is int4", "timestamptz, timestamp, date"):
        postgres_source.observe(orders(watermark="id"), None)


def test_a_server_that_cannot_be_reached_or_refuses(shop, monkeypatch):
    def observe(url: str) -> None:
        monkeypatch.setenv("SHOP", url)
        postgres_source.observe(orders(), None)

    with refused("set SHOP to the database's URL, postgresql://"):
        observe("")
    with refused("127.0.0.1:1/postgres", "Connection refused", "start the server"):
        observe(shop.url.replace(str(shop.port), "1"))
    with refused('database "other" does not exist'):
        observe(f"{shop.url.rsplit('/', 1)[0]}/other")
    with refused("password authentication failed", "correct user and password in SHOP"):
        observe(shop.url.replace(quote(shop.password, safe=""), "secret"))
    for malformed in (
        "postgresql://u:secret@x@127.0.0.1/x",
        "postgresql://u:secret/x@127.0.0.1/x",
        "secret x",
    ):
        with refused("SHOP must be postgresql://user:password@host:5432/name"):
            observe(malformed)
    shop.execute(
        "DROP ROLE IF EXISTS guest; CREATE ROLE guest LOGIN PASSWORD 'secret'; GRANT USAGE ON SCHEMA shop TO guest"
    )
    with refused("permission denied for table orders", "GRANT SELECT ON shop.orders TO guest"):
        observe(f"postgresql://guest:secret@127.0.0.1:{shop.port}/postgres")


def test_a_spark_without_the_driver(spark, shop, monkeypatch):
    monkeypatch.setattr(postgres_connection, "DRIVER", "org.nope.Driver")
    with refused("Spark cannot read it", "ClassNotFoundException: org.nope.Driver", "spark.jars.packages"):
        pulled(spark, None)


def test_a_lock_holds_no_sensor_up_for_ever(shop, monkeypatch):
    monkeypatch.setattr(postgres_source, "OBSERVE_SECONDS", 1)
    with shop.connect() as holder:
        holder.execute("LOCK TABLE shop.orders")
        with refused("no answer in time", "an index on updated_at"):
            postgres_source.observe(orders(), None)


def test_key_value_strings_and_names_in_need_of_quoting(spark, shop, monkeypatch):
    other = shop.new("my shop/é")
    other.execute(
        "CREATE TABLE orders (id int, updated_at date); INSERT INTO orders VALUES (1, '2026-01-05')"
    )
    url = make_conninfo(other.url, sslmode="disable", options="-c search_path=public")
    monkeypatch.setenv("SHOP", url)
    assert pulled(spark, None, table="orders")[0] == [1]
