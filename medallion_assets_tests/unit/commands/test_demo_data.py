"""The demo's data lands as the landing layout says."""

import csv
import json
from datetime import date, datetime, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import pyarrow.parquet as pq
import pytest

from medallion_assets.commands.demo_data import land

TWO_DAYS = date(2017, 3, 11), 2


@pytest.fixture(scope="module")
def landing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("landing")
    land(str(root), *TWO_DAYS)
    return root


def read_orders(landing: Path) -> list[dict[str, str]]:
    rows = []
    for path in sorted(landing.glob("orders/*/orders.csv")):
        with path.open(newline="") as lines:
            rows += [{"folder": path.parent.name, **row} for row in csv.DictReader(lines)]
    return rows


def test_each_source_lands_in_its_days(landing):
    assert sorted(str(path.relative_to(landing)) for path in landing.rglob("*") if path.is_file()) == [
        "customers/date=2017-01-01/customers.jsonl",
        "orders/date=2017-03-11/orders.csv",
        "orders/date=2017-03-12/orders.csv",
        "products/date=2017-01-01/products.parquet",
    ]


def test_an_order_is_of_the_day_it_was_in_new_york(landing):
    new_york = ZoneInfo("America/New_York")
    orders = read_orders(landing)
    spilled = 0
    for order in orders:
        moment = datetime.fromisoformat(order["updated_at"].replace("Z", "+00:00"))
        assert order["folder"] == f"date={order['order_date']}"
        assert moment.astimezone(new_york).date().isoformat() == order["order_date"]
        spilled += moment.astimezone(timezone.utc).date().isoformat() != order["order_date"]
    assert 0 < spilled < len(orders)  # The clocks went forward on 2017-03-12.


def test_an_order_is_one_line_with_an_exact_amount(landing):
    orders = read_orders(landing)
    assert len({order["order_id"] for order in orders}) == len(orders)
    for order in orders:
        assert order["order_id"].endswith("-" + order["product_id"])
        assert len(order["order_amount"].partition(".")[2]) == 2
        nothing = order["quantity"] == "0" and order["order_amount"] == "0.00"
        assert order["order_status"] == ("VOID" if nothing else "COMPLETED")


def test_every_household_is_a_customer_with_a_segment(landing):
    lines = (landing / "customers/date=2017-01-01/customers.jsonl").read_text().splitlines()
    customers = [json.loads(line) for line in lines]
    assert len(customers) == 2469
    assert sum(customer["customer_segment"] != "UNKNOWN" for customer in customers) == 801
    assert all(customer["updated_at"] == "2017-01-01T00:00:00Z" for customer in customers)


def test_a_products_category_is_its_department(landing):
    products = pq.read_table(landing / "products/date=2017-01-01/products.parquet").to_pylist()
    assert len(products) == 92331
    assert products[0]["product_id"] == 25671
    assert (products[0]["product_category"], products[0]["product_subcategory"]) == ("GROCERY", "FRZN ICE")


def test_landing_again_writes_nothing_and_mends_what_changed(landing):
    orders = landing / "orders/date=2017-03-12/orders.csv"
    before = orders.stat().st_mtime_ns
    assert land(str(landing), *TWO_DAYS) == []
    assert orders.stat().st_mtime_ns == before
    content = orders.read_bytes()
    orders.write_bytes(content[: len(content) // 2])
    assert land(str(landing), *TWO_DAYS) == ["orders/date=2017-03-12/orders.csv"]
    assert orders.read_bytes() == content


def test_a_day_without_orders_has_no_folder(tmp_path):
    land(str(tmp_path), date(2017, 12, 25), 1)
    assert not (tmp_path / "orders").exists()
