"""How each table stands, by its ledgers and logs alone: entries in, one line a table out."""

from collections.abc import Callable
from datetime import date, datetime, timedelta, timezone
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import write_deltalake

from medallion_assets.lakehouse.control.file_ledger import FoldedEntry, LandedEntry, record
from medallion_assets.lakehouse.control.gold_refreshes import record_refresh
from medallion_assets.lakehouse.control.run_log import RunEntry, append
from medallion_assets.lakehouse.gold.staleness import input_versions
from medallion_assets.lakehouse.landing.listing import list_files
from medallion_assets.lakehouse.monitoring.table_status import TableStatus, status_of
from medallion_assets_tests.support.sample_lake import TABLES, as_csv, order

ONE, TWO, THREE, LONG_AGO = "2026-01-01", "2026-01-02", "2026-01-03", "2025-06-01"
BRONZE, SILVER, GOLD = "bronze/orders", "silver/orders", "gold/order_status_funnel"
AT = datetime(2026, 1, 5, 10, tzinfo=timezone.utc)
Status = Callable[..., dict[str, TableStatus]]


@pytest.fixture
def root(tmp_path: Path) -> str:
    (tmp_path / "landing" / "orders").mkdir(parents=True)
    return str(tmp_path / "lake")


@pytest.fixture
def status(root: str, tmp_path: Path) -> Status:
    def find(*keys: str, day: str = "") -> dict[str, TableStatus]:
        tables = [TABLES[key] for key in keys]
        return {one.key: one for one in status_of(root, str(tmp_path / "landing"), tables, day)}

    return find


def ran(
    root: str, key: str, day: str, status: str, rows: int = 0, minute: int = 0, quarantined: int | None = None
):
    at = AT + timedelta(minutes=minute)
    append(
        root,
        [RunEntry(key, day, f"run-{minute}", status, "", at, rows, quarantined=quarantined, seconds=1.5)],
    )


def land(root: str, day: str) -> LandedEntry:
    """Lands a file, and returns the entry of bronze's ledger that says so."""
    folder = Path(root).parent / "landing" / "orders" / f"date={day}"
    folder.mkdir(parents=True)
    (folder / "a.csv").write_text(as_csv([order("o1", day=day)]))
    (file,) = list_files(str(folder.parents[1]), "orders", [day])
    return LandedEntry(BRONZE, day, file.path, *file.identity, "loaded", 1, 0, [])


def folded(landed: LandedEntry, fingerprint: str) -> FoldedEntry:
    counts = {"rows": 1, "current": 1, "superseded": 0, "deleted": 0, "quarantined": 0, "score_sum": 1.0}
    return FoldedEntry(SILVER, landed.day, landed.path, *landed.identity, fingerprint, **counts)


def test_each_table_shows_the_last_run_of_its_last_day_with_data(root: str, status: Status):
    ran(root, BRONZE, ONE, "OK", 9)
    ran(root, BRONZE, TWO, "FAILED", 0, minute=1)
    ran(root, BRONZE, TWO, "OK", 4, minute=2)
    ran(root, BRONZE, THREE, "NO_DATA", 0, minute=3)
    ran(root, SILVER, TWO, "BLOCKED", 4, minute=2, quarantined=3)
    ran(root, GOLD, ONE, "OK", 9, minute=1)
    ran(root, GOLD, TWO, "SKIPPED", minute=2)
    ran(root, "bronze/products", LONG_AGO, "OK", 5)
    ran(root, "bronze/products", THREE, "NO_DATA", 0, minute=3)
    after_two = AT + timedelta(minutes=2)
    assert status(BRONZE, SILVER, GOLD, "bronze/products", "bronze/customers") == {
        BRONZE: TableStatus(BRONZE, TWO, "OK", 4, None, after_two, 1.5),
        SILVER: TableStatus(SILVER, TWO, "BLOCKED", 4, 3, after_two, 1.5),
        GOLD: TableStatus(GOLD, TWO, "SKIPPED", 0, None, after_two, 1.5),
        "bronze/products": TableStatus("bronze/products", LONG_AGO, "OK", 5, None, AT, 1.5),
        "bronze/customers": TableStatus("bronze/customers", "", "no run"),
    }
    of_one = status(BRONZE, SILVER, GOLD, day=ONE)
    assert [(one.day, one.outcome, one.rows) for one in of_one.values()] == [
        (ONE, "OK", 9),
        (ONE, "no run", None),
        (ONE, "OK", 9),
    ]


def test_a_day_whose_files_were_removed_has_no_data(root: str, status: Status):
    ran(root, BRONZE, ONE, "OK", 9)
    ran(root, BRONZE, TWO, "OK", 4)
    ran(root, BRONZE, TWO, "NO_DATA", 0, minute=1)
    assert status(BRONZE)[BRONZE].day == ONE
    assert status(BRONZE, day=TWO)[BRONZE].outcome == "NO_DATA"


def test_bronze_waits_for_files_that_it_has_not_taken_as_they_are(root: str, status: Status):
    record(root, LandedEntry, BRONZE, [ONE], [land(root, ONE)])
    ran(root, BRONZE, ONE, "OK", 1)
    assert status(BRONZE)[BRONZE].outcome == "OK"
    entry = land(root, TWO)
    assert status(BRONZE)[BRONZE] == TableStatus(BRONZE, TWO, "waits")
    assert status(BRONZE, day=ONE)[BRONZE].outcome == "OK"
    record(root, LandedEntry, BRONZE, [TWO], [entry])
    ran(root, BRONZE, TWO, "OK", 1)
    assert status(BRONZE)[BRONZE].outcome == "OK"
    (Path(root).parent / "landing" / entry.path).write_text("changed\n")
    assert status(BRONZE)[BRONZE].outcome == "waits"


def test_silver_waits_for_what_bronze_has_and_is_stale_under_another_contract(root: str, status: Status):
    one, two = land(root, ONE), land(root, TWO)
    record(root, LandedEntry, BRONZE, [ONE, TWO], [one, two])
    record(root, FoldedEntry, SILVER, [ONE], [folded(one, TABLES[SILVER].fingerprint)])
    for key, day in ((BRONZE, ONE), (SILVER, ONE), (BRONZE, TWO)):
        ran(root, key, day, "OK", 1)
    assert status(BRONZE, SILVER)[SILVER] == TableStatus(SILVER, TWO, "waits")
    assert status(BRONZE, SILVER, day=ONE)[SILVER].outcome == "OK"
    record(root, FoldedEntry, SILVER, [ONE], [folded(one, "older")])
    assert status(BRONZE, SILVER, day=ONE)[SILVER].outcome == "stale"


def test_gold_is_stale_on_the_days_whose_facts_changed(root: str, status: Status):
    table = TABLES["gold/fact_orders"]
    silver = Path(root) / "silver" / "orders"
    for day in (ONE, TWO):
        write_deltalake(
            silver,
            pa.table({"order_id": [day], "order_date": [date.fromisoformat(day)]}),
            mode="append",
            partition_by=["order_date"],
        )
        ran(root, table.key, day, "OK", 1)
        write_deltalake(Path(root) / table.key, pa.table({"order_id": [day]}), mode="append")
        record_refresh(root, table, input_versions(root, table))
        assert status(table.key)[table.key].outcome == "OK"
    more = pa.table({"order_id": ["o2"], "order_date": [date.fromisoformat(ONE)]})
    write_deltalake(silver, more, mode="append", partition_by=["order_date"])
    assert status(table.key)[table.key] == TableStatus(table.key, TWO, "stale", 1, None, AT, 1.5)
    assert [status(table.key, day=day)[table.key].outcome for day in (ONE, TWO)] == ["stale", "OK"]
