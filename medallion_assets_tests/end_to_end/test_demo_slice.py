"""A slice of the real data: gold against an independent query over the landed files."""

from datetime import date

import duckdb
import pytest

from medallion_assets.commands.demo_data import land
from medallion_assets_tests.support.sample_lake import SampleLake

DAYS = ("2017-01-01", "2017-01-02")

QUERY = """
SELECT CAST(o.order_date AS DATE), coalesce(c.customer_segment, 'UNKNOWN'), coalesce(p.product_category, 'UNKNOWN'),
       count(*), sum(CAST(o.order_amount AS DECIMAL(18, 2))), count(DISTINCT o.customer_id),
       min(CAST(o.order_amount AS DECIMAL(18, 2))), max(CAST(o.order_amount AS DECIMAL(18, 2)))
FROM read_csv('{landing}/orders/*/orders.csv', all_varchar = true) o
LEFT JOIN read_json('{landing}/customers/*/*.jsonl') c ON CAST(c.customer_id AS VARCHAR) = o.customer_id
LEFT JOIN read_parquet('{landing}/products/*/*.parquet') p ON CAST(p.product_id AS VARCHAR) = o.product_id
WHERE o.order_status = 'COMPLETED'
GROUP BY 1, 2, 3
"""


@pytest.mark.long
def test_gold_equals_an_independent_query_over_the_landed_files(shop: SampleLake):
    land(str(shop.landing), date(2017, 1, 1), len(DAYS))
    shop.materialize(*DAYS)
    names = ("order_date", "customer_segment", "product_category", "order_count", "total_sales")
    names += ("unique_customers", "min_order", "max_order")
    found = {tuple(row[name] for name in names) for row in shop.rows("gold/daily_sales")}
    expected = set(duckdb.connect().execute(QUERY.format(landing=shop.landing)).fetchall())
    assert len(expected) > 200 and found == expected
