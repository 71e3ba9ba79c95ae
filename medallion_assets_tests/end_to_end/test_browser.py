"""What a person sees of a run in the Dagster UI: a real webserver on a kept instance, seen with Chromium.

`test_assets.py` holds the events to what they should say; here the pages must show it; screenshots are kept.
"""

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect
from pyspark.sql import SparkSession

from medallion_assets.commands import job_runner
from medallion_assets.tables.silver.orders import STATUSES
from medallion_assets_tests.support.dagster_ui import PATIENCE, REPOSITORY, ui_page, webserver
from medallion_assets_tests.support.sample_lake import SampleLake, order

ONE, TWO, THREE = "2026-01-01", "2026-01-02", "2026-01-03"


class Screen:
    """A browser page on the UI: opens addresses, waits for what should be visible, keeps screenshots."""

    def __init__(self, page: Page, address: str, folder: Path):
        self.page, self.address, self.folder = page, address, folder

    def open(self, path: str) -> None:
        self.page.goto(self.address + path)

    def shows(self, *texts: str) -> None:
        """Each text, whole, is visible somewhere on the page."""
        for text in texts:
            self._visible(self.page.get_by_text(text, exact=True))

    def shows_row(self, *cells: str) -> None:
        """A table has a row whose first cells are these; the icon of a column's type counts as text, too."""
        texts = [re.escape(cell).replace("/", r"\/") for cell in cells]  # else "/" ends the pattern
        name = re.compile(r"^\s*" + r"\s+(?:datatype_\w+\s+)?".join(texts) + r"(\s|$)")
        self._visible(self.page.get_by_role("row", name=name))

    def badges(self) -> list[str]:
        """How many checks of the asset failed, warned and passed; of none no number."""
        title = self.page.get_by_text("Latest check results", exact=True)
        self._visible(title)
        found = title.locator("xpath=../..")
        expect(found).to_have_text(re.compile(r"\d"), timeout=PATIENCE * 1000)
        return found.inner_text().partition("Latest check results")[2].split()

    def keep(self, name: str) -> None:
        path = self.folder / f"{name}.png"
        self.page.screenshot(path=path)
        print(f"screenshot: {path}")

    def _visible(self, found: Locator) -> None:
        """The UI also holds texts that it hides, so that it can measure or cut them."""
        expect(found.filter(visible=True).first).to_be_visible(timeout=PATIENCE * 1000)


@dataclass(frozen=True)
class Lake:
    """A lake, and an instance with its runs."""

    shop: SampleLake
    settings: dict[str, str]

    def run(self, first: str, last: str) -> bool:
        """Whether a run of these days succeeds."""
        with pytest.MonkeyPatch.context() as patch:
            for name, value in self.settings.items():
                patch.setenv(name, value)
            with job_runner.dagster_instance() as kept:
                return job_runner.run(kept, "landing_to_gold", first, last, lambda event: None).success


@pytest.fixture(scope="module")
def lake(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """With two days of orders."""
    root = tmp_path_factory.mktemp("browser")
    shop, home = SampleLake(spark, root), root / "home"
    home.mkdir()
    shutil.copy(REPOSITORY / "dagster.yaml", home)
    places = {"DAGSTER_HOME": str(home), "MEDALLION_LAKEHOUSE": shop.lake.root}
    made = Lake(shop, places | {"MEDALLION_LANDING": str(shop.landing)})
    _land(shop)
    assert made.run(ONE, TWO)
    return made


@pytest.fixture(scope="module")
def screen(lake: Lake) -> Iterator[Screen]:
    root = lake.shop.root
    with webserver(lake.settings, root / "webserver.log") as address, ui_page(1600, 1300) as page:
        yield Screen(page, address, root)


def _land(shop: SampleLake) -> None:
    known = {"updated_at": f"{ONE}T09:00:00Z"}
    shop.land("customers", ONE, "c.csv", [{"customer_id": "c1", "customer_segment": "50-74K", **known}])
    shop.land("products", ONE, "p.csv", [{"product_id": "p1", "product_category": "GROCERY", **known}])
    day_one = [
        order("o1"),
        order("o2", amount="12.50"),
        order("guest", customer_id=""),
        order("x", status="lost"),
    ]
    shop.land("orders", ONE, "a.csv", day_one)
    later = {"at": f"{TWO}T11:00:00Z"}
    shop.land("orders", TWO, "a.csv", [order("o3", day=TWO, **later), order("o1", amount="11.00", **later)])


def test_the_lineage_shows_every_table_of_every_layer(screen: Screen):
    layers = ",".join(f"global@global:{layer}" for layer in ("bronze", "silver", "gold"))
    screen.open(f"/asset-groups?expanded={layers}")
    screen.page.set_viewport_size({"width": 3200, "height": 1300})  # of a graph too wide only names are shown
    screen.shows("Global asset lineage", "orders", "customers", "products", "daily_sales", "fact_orders")
    screen.shows("bronze", "silver", "gold", "quarantine", "control", "22 / 25 Passed")
    screen.keep("lineage")


def test_a_fact_shows_its_keys_and_the_dimensions_that_they_are_of(screen: Screen):
    screen.open("/assets/gold/fact_orders?view=overview")
    screen.shows_row("customer_key", "string", "Version of the customer")
    screen.open("/assets/gold/fact_orders?view=lineage&lineageScope=upstream")
    screen.shows("fact_orders", "dim_customer", "dim_product", "dim_date")
    screen.keep("fact")


def test_a_day_of_silver_shows_its_figures_and_its_rows(screen: Screen):
    screen.open(f"/assets/silver/orders?view=partitions&partition={ONE}")
    screen.shows("Materialized", "preview", "quarantine")
    # Of four landed rows o1 is now of the second day; x and the guest each break one of the 15 rules that cost score.
    for figure in (
        ("rows_in", "4"),
        ("waterfall", "4 landed = 2 current + 1 superseded + 1 quarantined"),
        ("dagster/partition_row_count", "2"),
        ("superseded", "1"),
        ("quarantined", "1"),
    ):
        screen.shows_row(*figure)
    screen.shows_row("quality_score", "96.66")
    screen.shows_row("o2", "c1", "p1", ONE, "12.50", "COMPLETED")
    screen.shows_row("order_status_one_of", "x", "c1", "p1", ONE, "10.00", "lost")
    screen.keep("partition")


def test_the_checks_page_names_every_kind_of_check_and_what_a_rule_demands(screen: Screen):
    screen.open("/assets/silver/orders?view=checks&checkDetail=order_status_one_of")
    screen.shows("row_conservation", "unique_key", "quarantine_ratio", "order_status_one_of")
    listed = ", ".join(repr(status) for status in STATUSES)
    screen.shows(f"Rows that do not satisfy order_status IN ({listed}) go to quarantine.")
    screen.shows("Latest execution", TWO)
    screen.shows_row("broken", "0")
    screen.keep("checks")


def test_an_asset_says_what_it_is_what_its_columns_mean_and_whose_it_is(screen: Screen):
    screen.open("/assets/silver/orders?view=overview")
    screen.shows("The latest state of each order line; a deleted one is kept as a tombstone.")
    key = ("non-nullable key", "Key of the order line", "(from bronze.orders.order_id)")
    screen.shows_row("order_id", "string", *key)
    screen.shows_row("order_amount", "decimal(18,2)", "non-nullable", "US dollars, rounded half up")
    screen.shows_row(
        "_data_quality_score", "double", "0 to 100: the weighted share of rules that the row satisfies"
    )
    screen.shows("Owners", "data-platform", "silver.orders", "landing_to_gold")
    screen.keep("overview")


def test_a_refused_day_is_found_in_three_clicks_with_its_rule_its_rows_and_its_file(
    screen: Screen, lake: Lake
):
    wrong = [order(name, status="lost", day=THREE) for name in ("l1", "l2", "l3")]
    lake.shop.land("orders", THREE, "bad.csv", [order("o4", day=THREE), *wrong])
    assert not lake.run(THREE, THREE)
    screen.open("/")
    screen.page.set_viewport_size(
        {"width": 1600, "height": 2200}
    )  # of a long list only what is seen is there
    screen.page.get_by_text("Catalog", exact=True).first.click()
    screen.page.locator("a[href*='/assets/silver/orders']").first.click()
    assert screen.badges() == [
        "2",
        "1",
        "22",
    ]  # of 25: two are red, for the day and for the share of its rows
    screen.page.get_by_text("2", exact=True).first.hover()
    screen.page.get_by_text("open_days", exact=True).first.click()
    file = f"orders/date={THREE}/bad.csv"
    screen.shows_row(
        THREE,
        f"silver/orders quarantine_ratio: 3 of 4 rows (75%, limit 50%) of {file} break a rule: "
        "order_status_one_of 3. Mend the file; the sensor takes it",
    )
    row = f"_failed_rules=order_status_one_of, order_id=l1, order_status=lost, _source_file={file}"
    screen.shows_row(f"{THREE} row 1", row)
    screen.keep("refused")
    for key in ("bronze/orders", "silver/customers", "gold/fact_orders", "gold/daily_sales"):
        screen.open(f"/assets/{key}?view=overview")
        assert len(screen.badges()) == 1, key  # all green: it is not at fault

    lake.shop.land("orders", THREE, "bad.csv", [order("o4", day=THREE)])
    assert lake.run(THREE, THREE)
    screen.open("/assets/silver/orders?view=overview")
    assert screen.badges() == ["1", "24"]  # the first day still holds a row in quarantine
