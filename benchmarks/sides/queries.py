"""The tables as SQL that Spark and DuckDB both run, so that two sides make the same rows.

`{timestamp}` and `{days_between}` differ. Names of tables are those of views: `bronze_orders` is bronze/orders.
"""

from datetime import date, timedelta

import pyarrow as pa

from benchmarks.data import FIRST_DAY

# Of the landed rows of a load, the latest of each key.
SILVER_ORDERS = """
SELECT order_id, nullif(trim(customer_id), '') AS customer_id, nullif(trim(product_id), '') AS product_id,
  CAST(order_date AS DATE) AS order_date, CAST(order_amount AS DECIMAL(18, 2)) AS order_amount,
  upper(trim(order_status)) AS order_status, CAST(updated_at AS {timestamp}) AS updated_at
FROM (
  SELECT *, row_number() OVER (PARTITION BY order_id ORDER BY updated_at DESC) AS place FROM landed_orders
) AS ranked WHERE place = 1
"""
SILVER_PRODUCTS = """
SELECT product_id, product_category, CAST(updated_at AS {timestamp}) AS updated_at, manufacturer_id, brand,
  product_subcategory, product_type, package_size
FROM (
  SELECT *, row_number() OVER (PARTITION BY product_id ORDER BY updated_at DESC) AS place FROM bronze_products
) AS ranked WHERE place = 1
"""
# The versions of each customer: a version begins where the segment is another one than before.
SILVER_CUSTOMERS = """
WITH changes AS (
  SELECT * FROM (
    SELECT *, row_number() OVER (PARTITION BY customer_id, updated_at ORDER BY date DESC) AS place
    FROM bronze_customers
  ) AS ranked WHERE place = 1
), compared AS (
  SELECT *, lag(customer_segment) OVER (PARTITION BY customer_id ORDER BY updated_at) AS segment_before,
    row_number() OVER (PARTITION BY customer_id ORDER BY updated_at) AS number
  FROM changes
), versions AS (
  SELECT *, CAST(updated_at AS {timestamp}) AS valid_from,
    CAST(lead(updated_at) OVER (PARTITION BY customer_id ORDER BY updated_at) AS {timestamp}) AS valid_to
  FROM compared WHERE number = 1 OR customer_segment IS DISTINCT FROM segment_before
)
SELECT customer_id, customer_segment, CAST(updated_at AS {timestamp}) AS updated_at, age, home_ownership,
  marital_status, household_size, household_comp, kids_count, valid_from, valid_to, valid_to IS NULL AS is_current
FROM versions
"""

_CUSTOMER_TEXTS = (
    "customer_segment",
    "age",
    "home_ownership",
    "marital_status",
    "household_size",
    "household_comp",
    "kids_count",
)
_PRODUCT_TEXTS = (
    "product_category",
    "product_subcategory",
    "product_type",
    "brand",
    "manufacturer_id",
    "package_size",
)


def _filled(names: tuple[str, ...]) -> str:
    return ", ".join(f"coalesce({name}, 'UNKNOWN') AS {name}" for name in names)


def _unknown(names: tuple[str, ...]) -> str:
    return ", ".join("'UNKNOWN'" for _ in names)


DIM_CUSTOMER = f"""
SELECT md5(concat(customer_id, '|', CAST(valid_from AS STRING))) AS customer_key, customer_id,
  {_filled(_CUSTOMER_TEXTS)}, valid_from, valid_to, is_current
FROM silver_customers
UNION ALL SELECT 'unknown', NULL, {_unknown(_CUSTOMER_TEXTS)}, NULL, NULL, true
"""
DIM_PRODUCT = f"""
SELECT md5(product_id) AS product_key, product_id, {_filled(_PRODUCT_TEXTS)} FROM silver_products
UNION ALL SELECT 'unknown', NULL, {_unknown(_PRODUCT_TEXTS)}
"""
# A fact joins the version of its day; before the first version, the first one.
FACT_ORDERS = """
SELECT o.order_id, o.order_date, coalesce(d.date_key, -1) AS date_key,
  coalesce(c.customer_key, 'unknown') AS customer_key, coalesce(p.product_key, 'unknown') AS product_key,
  o.customer_id, o.product_id, o.order_status, o.order_amount, o.updated_at
FROM silver_orders o
LEFT JOIN (SELECT *, min(valid_from) OVER (PARTITION BY customer_id) AS first FROM gold_dim_customer) c
  ON o.customer_id = c.customer_id AND (c.valid_from = c.first OR o.order_date >= c.valid_from)
  AND (c.valid_to IS NULL OR o.order_date < c.valid_to)
LEFT JOIN gold_dim_product p ON o.product_id = p.product_id
LEFT JOIN gold_dim_date d ON o.order_date = d.date
WHERE {touched}
"""
DAILY_SALES = """
SELECT order_date, coalesce(customer_segment, 'UNKNOWN') AS customer_segment,
  coalesce(product_category, 'UNKNOWN') AS product_category, count(order_id) AS order_count,
  CAST(sum(order_amount) AS DECIMAL(28, 2)) AS total_sales,
  CAST(round(sum(order_amount) / count(order_amount), 2) AS DECIMAL(18, 2)) AS avg_order_value,
  count(DISTINCT o.customer_id) AS unique_customers, min(order_amount) AS min_order, max(order_amount) AS max_order
FROM gold_fact_orders o
LEFT JOIN gold_dim_customer c ON o.customer_key = c.customer_key
LEFT JOIN gold_dim_product p ON o.product_key = p.product_key
WHERE order_status = 'COMPLETED' AND {touched}
GROUP BY 1, 2, 3
"""
ORDER_STATUS_FUNNEL = """
SELECT *, CAST(round(order_count * 100.0 / sum(order_count) OVER (PARTITION BY order_date), 2) AS DECIMAL(5, 2))
  AS percent_of_orders
FROM (
  SELECT order_date, order_status, count(order_id) AS order_count,
    CAST(sum(order_amount) AS DECIMAL(28, 2)) AS total_amount
  FROM gold_fact_orders o WHERE {touched} GROUP BY 1, 2
) AS cells
"""
CUSTOMER_ACTIVITY = """
SELECT customer_id, first_order_date, last_order_date,
  CAST({days_between} AS INTEGER) AS recency_days, frequency, monetary_value
FROM (
  SELECT customer_id, min(order_date) AS first_order_date,
    max(CASE WHEN date_key <> -1 THEN order_date END) AS last_order_date,
    count(order_id) AS frequency, CAST(sum(order_amount) AS DECIMAL(28, 2)) AS monetary_value,
    max(max(CASE WHEN date_key <> -1 THEN order_date END)) OVER () AS last_of_all
  FROM gold_fact_orders WHERE order_status = 'COMPLETED' AND customer_id IS NOT NULL GROUP BY 1
) AS cells
"""

# Source -> what is made of it whole, in silver and as a dimension.
SILVER = {"customers": SILVER_CUSTOMERS, "products": SILVER_PRODUCTS}
DIMENSIONS = {"customers": ("dim_customer", DIM_CUSTOMER), "products": ("dim_product", DIM_PRODUCT)}
# What facts are made of; and by day what is made of them.
FACT_INPUTS = ("silver/orders", "gold/dim_date", "gold/dim_customer", "gold/dim_product")
CELLS = {"daily_sales": DAILY_SALES, "order_status_funnel": ORDER_STATUS_FUNNEL}


def touched(days: list[date]) -> str:
    """The condition that an order is of one of these days."""
    return f"o.order_date IN ({', '.join(f'DATE {str(one)!r}' for one in days)})" if days else "false"


def dim_date() -> pa.Table:
    """The days from the first one to today, and the unknown day."""
    days = [FIRST_DAY + timedelta(days=n) for n in range((date.today() - FIRST_DAY).days + 1)]
    rows = [
        {
            "date_key": int(f"{one:%Y%m%d}"),
            "date": one,
            "year": one.year,
            "quarter": (one.month + 2) // 3,
            "month": one.month,
            "month_name": f"{one:%B}",
            "day_of_month": one.day,
            "iso_year": one.isocalendar()[0],
            "iso_week": one.isocalendar()[1],
            "day_of_week": one.isoweekday(),
            "day_name": f"{one:%A}",
            "is_weekend": one.isoweekday() >= 6,
        }
        for one in days
    ]
    unknown = {"date_key": -1, "month_name": "UNKNOWN", "day_name": "UNKNOWN"}
    kinds = {
        "date": pa.date32(),
        "month_name": pa.string(),
        "day_name": pa.string(),
        "is_weekend": pa.bool_(),
    }
    schema = pa.schema([(name, kinds.get(name, pa.int32())) for name in rows[0]])
    return pa.Table.from_pylist([*rows, unknown], schema)
