"""The database of `make cdc-demo`: its table, the transactions, and what silver and gold hold once they are there."""

from collections.abc import Mapping
from typing import Any

from medallion_assets.local_servers.debezium import PUBLICATION
from medallion_assets.local_servers.postgres import Database

Rows = Mapping[Any, tuple[Any, ...]]
"""Key -> the values beside it."""

SILVER = ("order_id", "ordered_at", "order_date", "order_amount", "order_status")
GOLD = ("order_date", "order_count", "total_sales")
"""The columns that are compared; the first one is the key."""

_DAY = "(ordered_at AT TIME ZONE 'UTC')::date"
_IN_SILVER = f"SELECT order_id, ordered_at, {_DAY}, order_amount, order_status FROM orders"
_IN_GOLD = f"SELECT {_DAY}, count(*), sum(order_amount) FROM orders GROUP BY 1"

CREATE = f"""
    DROP PUBLICATION IF EXISTS {PUBLICATION};
    DROP TABLE IF EXISTS orders;
    CREATE TABLE orders (
        order_id bigint PRIMARY KEY,
        ordered_at timestamptz NOT NULL,
        order_amount numeric(18, 2) NOT NULL,
        order_status text NOT NULL
    );
    CREATE PUBLICATION {PUBLICATION} FOR TABLE orders;
"""


def _insert(first: int, last: int) -> str:
    """Orders of the last three days, by their numbers."""
    return f"""
        INSERT INTO orders
        SELECT n, now() - n % 3 * interval '1 day', n % 97 + 0.25, 'PENDING' FROM generate_series({first}, {last}) n;
    """


BEFORE = _insert(1, 500)
"""What is there before Debezium comes; it reads these rows by a snapshot."""

TRANSACTIONS = {
    "300 inserts": _insert(501, 800),
    "250 updates": """
        UPDATE orders SET order_status = 'SHIPPED' WHERE order_id <= 200;
        UPDATE orders SET order_amount = order_amount + 1000 WHERE order_id > 750;
    """,
    "40 deletes": "DELETE FROM orders WHERE order_id % 20 = 0;",
    "all three": """
        INSERT INTO orders VALUES (900, now(), 1, 'PENDING'), (901, now(), 2, 'PENDING');
        UPDATE orders SET order_amount = 3 WHERE order_id = 901;
        DELETE FROM orders WHERE order_id = 900;
        INSERT INTO orders VALUES (20, now(), 4, 'RETURNED');
        UPDATE orders SET order_id = 902 WHERE order_id = 1;
        UPDATE orders SET ordered_at = ordered_at - interval '1 day' WHERE order_id BETWEEN 2 AND 10;
    """,
}
"""The last one has orders that come and go, come back, get another number, and move to another day."""


def in_silver(database: Database) -> Rows:
    """The rows of the table as silver holds them, once it has taken what is committed."""
    return by_key(database.execute(_IN_SILVER))


def in_gold(database: Database) -> Rows:
    """The same of gold: a day's orders and their sum."""
    return by_key(database.execute(_IN_GOLD))


def by_key(rows: list[tuple[Any, ...]]) -> Rows:
    return {key: tuple(values) for key, *values in rows}


def difference(found: Rows, expected: Rows) -> str:
    """What tells the rows apart, in words; empty where they are the same."""
    kinds = {
        "missing": expected.keys() - found.keys(),
        "too many": found.keys() - expected.keys(),
        "different": {key for key in found.keys() & expected.keys() if found[key] != expected[key]},
    }
    return ", ".join(f"{len(keys)} {kind} (such as {min(keys)})" for kind, keys in kinds.items() if keys)
