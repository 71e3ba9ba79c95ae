"""Watermark append: orders of a web shop, pulled from its PostgreSQL by `updated_at` and appended as they are.

CREATE TABLE web_orders (order_id text PRIMARY KEY, order_date date, order_amount numeric, updated_at timestamptz);
CREATE INDEX ON web_orders (updated_at);
"""

from datetime import timedelta

from medallion_assets.contracts import BronzeTable, Column, FollowTable

TABLE = BronzeTable(
    name="web_orders",
    description="Orders of the web shop, each change as its database had it.",
    write=FollowTable(
        "MEDALLION_WEB_SHOP", "web_orders", keys=("order_id",), overlap=timedelta(minutes=15), partitions=2
    ),
    columns=(
        Column("order_id", description="Key of the order"),
        Column("order_date", description="Business day of the order"),
        Column("order_amount", description="US dollars"),
        Column("updated_at", description="Time of the change"),
        Column("op", description="D where the reconciliation found the key gone", optional=True),
    ),
)
