"""What a rule that failed shows, as far as it needs no table."""

from pathlib import Path

from medallion_assets.orchestration.assets.previews import broken_rows
from medallion_assets.orchestration.resources import LakehouseResource
from medallion_assets.tables.silver import orders

DAY = "2026-01-05"


def shown(root: Path, check: str) -> dict[str, str]:
    return broken_rows(LakehouseResource(root=str(root)), orders.TABLE, check, DAY, has_rows=False)


def test_a_rule_shows_a_query_that_can_be_run(tmp_path: Path):
    of_day = f"_ingestion_date = DATE '{DAY}'"
    assert shown(tmp_path, "order_status_one_of") == {
        "query": f"SELECT * FROM delta.`{tmp_path}/quarantine/orders` WHERE {of_day} "
        "AND array_contains(_failed_rules, 'order_status_one_of')"
    }
    assert shown(tmp_path, "customer_id_not_null") == {
        "query": f"SELECT * FROM delta.`{tmp_path}/silver/orders` WHERE {of_day} "
        "AND NOT coalesce(customer_id IS NOT NULL, false)"
    }
    assert shown(tmp_path, "keys_as_landed") == {}  # silver does not hold what landed
    assert shown(tmp_path, "quarantine_ratio") == {}
