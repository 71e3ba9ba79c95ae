"""Lost or torn memory: a ledger, a row of it, rows of a table or a commit that are gone are rebuilt, or loud."""

import logging
import shutil
from pathlib import Path

import pytest
from deltalake import DeltaTable

from medallion_assets.lakehouse.storage.open_table import TornCommit
from medallion_assets_tests.support.sample_lake import SampleLake, delete, order

ONE, TWO, THREE = "2026-01-01", "2026-01-02", "2026-01-03"


@pytest.fixture
def landed(shop: SampleLake) -> SampleLake:
    """Two days, and a key that both of them have."""
    shop.land("orders", ONE, "a.csv", [order("o1", day=ONE), order("o2", day=ONE)])
    shop.land("orders", ONE, "b.csv", [order("both", day=ONE)])
    shop.land(
        "orders", TWO, "a.csv", [order("o3", day=TWO), order("both", day=TWO, at="2026-01-02T10:00:00Z")]
    )
    shop.orders(ONE, TWO)
    return shop


def forget(shop: SampleLake, ledger: str, where: str = "") -> None:
    """The rows of a control table go, or all of it."""
    path = shop.lake.path(f"control/{ledger}")
    if where:
        DeltaTable(path).delete(where)
    else:
        shutil.rmtree(path)


def commits(shop: SampleLake, *keys: str) -> dict[str, int]:
    return shop.versions(keys)


def keys(shop: SampleLake) -> list[str]:
    return [row[0] for row in shop.live("order_id")]


def test_a_lost_memory_is_rebuilt(landed: SampleLake, caplog: pytest.LogCaptureFixture):
    shop = landed
    caplog.set_level(logging.WARNING)
    # Nothing is lost: nothing is done, and nothing said.
    before = commits(shop, "bronze/orders", "silver/orders", "control/folded_files")
    shop.orders(ONE)
    assert commits(shop, "bronze/orders", "silver/orders", "control/folded_files") == before
    assert not caplog.records

    # All of control/ is lost, and a file was corrected.
    shutil.rmtree(shop.lake.path("control"))
    shop.land("orders", ONE, "a.csv", [order("o1", day=ONE)])
    shop.orders(ONE)
    assert keys(shop) == ["both", "o1", "o3"]
    assert "control/folded_files has lost its rows of silver/orders" in caplog.text

    # Silver's ledger is lost, and a day is restated.
    forget(shop, "folded_files")
    shop.land("orders", ONE, "b.csv", [order("new", day=ONE)])
    shop.orders(ONE)
    assert keys(shop) == ["both", "new", "o1", "o3"]

    # A row of silver's ledger, of a file that is corrected.
    forget(shop, "folded_files", f"path = 'orders/date={ONE}/b.csv'")
    shop.land("orders", ONE, "b.csv", [order("other", day=ONE)])
    done = shop.orders(ONE)
    assert keys(shop) == ["both", "o1", "o3", "other"]
    assert done[ONE].unaccounted == {} and done[ONE].total("rows") == 2

    # A row of bronze's ledger, of a file that is as it was: it is not doubled. And one of a file of another day.
    forget(shop, "landed_files", f"path = 'orders/date={ONE}/a.csv'")
    shop.orders(ONE)
    assert len(shop.rows("bronze/orders")) == 4 and keys(shop) == ["both", "o1", "o3", "other"]
    forget(shop, "landed_files", f"day = '{TWO}'")
    shop.land("orders", ONE, "a.csv", [order("o1", day=ONE, at="2026-01-05T10:00:00Z")])
    shop.orders(ONE)
    assert len(shop.rows("bronze/orders")) == 4 and keys(shop) == ["both", "o1", "o3", "other"]


def test_what_somebody_else_changed_is_made_again(landed: SampleLake):
    shop = landed
    DeltaTable(shop.lake.path("silver/orders")).delete("order_id = 'o2'")
    shop.land("orders", THREE, "a.csv", [order("o4", day=THREE)])
    shop.orders(THREE)
    assert keys(shop) == ["both", "o1", "o2", "o3", "o4"]
    DeltaTable(shop.lake.path("bronze/orders")).delete("order_id = 'o2'")
    shop.orders(ONE)
    assert len(shop.rows("bronze/orders")) == 6 and keys(shop) == ["both", "o1", "o2", "o3", "o4"]
    shutil.rmtree(shop.lake.path("silver/orders"))
    shop.orders(THREE)
    assert keys(shop) == ["both", "o1", "o2", "o3", "o4"]


@pytest.mark.parametrize("key", ["control/folded_files", "silver/orders", "bronze/orders"])
def test_an_empty_commit_is_named_and_removed_costs_nothing(landed: SampleLake, key: str):
    shop = landed
    shop.land("orders", TWO, "b.csv", [delete("o1", "2026-01-04T10:00:00Z"), order("o5", day=TWO)])
    shop.orders(TWO)
    last = Path(shop.lake.path(key), "_delta_log", f"{shop.table(key).version():020d}.json")
    last.write_bytes(b"")
    with pytest.raises(TornCommit, match=f"{last} is empty"):
        shop.orders(ONE)
    for torn in list(last.parent.iterdir()):
        if last.stem in torn.name:
            torn.unlink()
    forget_what_spark_knows(shop)
    shop.orders(ONE, TWO)
    assert keys(shop) == ["both", "o2", "o3", "o5"]
    assert sorted(row[0] for row in shop.lake.read("bronze/orders").select("order_id").collect()) == [
        *("both", "both", "o1", "o1", "o2", "o3", "o5")
    ]
    assert shop.orders(ONE, TWO)[TWO].unaccounted == {}


def forget_what_spark_knows(shop: SampleLake) -> None:
    """As after a power cut."""
    shop.spark._jvm.org.apache.spark.sql.delta.DeltaLog.clearCache()  # type: ignore[union-attr]
