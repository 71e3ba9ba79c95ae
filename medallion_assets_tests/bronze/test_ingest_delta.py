"""A Delta table elsewhere, followed by its version: net changes, retries, and what cannot be followed."""

import shutil
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from medallion_assets.contracts.bronze import BronzeTable, FollowDelta
from medallion_assets.contracts.column import Column
from medallion_assets.contracts.merge_policies import Upsert
from medallion_assets.contracts.silver import SilverTable
from medallion_assets.lakehouse import bronze, silver
from medallion_assets.lakehouse.bronze import batches
from medallion_assets.lakehouse.control import watermarks
from medallion_assets.lakehouse.sources.base import SourceError
from medallion_assets_tests.support.sample_lake import SampleLake

PAST = "2026-01-01"
FEEDS = pytest.mark.parametrize("feed", ["true", pytest.param("false", marks=pytest.mark.long)])
"""Whether the source keeps a change feed, or its versions must be compared."""

Prices = Sequence[tuple[str, str, str]]


def today() -> str:
    return f"{datetime.now(timezone.utc):%Y-%m-%d}"


def tables(url: Path) -> dict[str, Any]:
    keys = ("store_id", "product_id")
    names = (*keys, "price")
    bronze_prices = BronzeTable(
        name="prices",
        description="Prices of a shop's own lake.",
        write=FollowDelta(str(url), keys=keys),
        columns=tuple(Column(name) for name in (*names, "op", "source_version")),
    )
    silver_prices = SilverTable(
        name="prices",
        description="The price of each product in each store.",
        inputs=(bronze_prices,),
        write=Upsert(keys=keys, sequence_by=("source_version",)),
        columns=(
            *[Column(key) for key in keys],
            Column("price", "decimal(9,2)"),
            Column("source_version", "bigint"),
        ),
    )
    return {"bronze/prices": bronze_prices, "silver/prices": silver_prices}


class Shop(SampleLake):
    """A workshop that follows `source`."""

    def write(self, rows: Prices, mode: str = "append", **options) -> None:
        columns = zip(*rows, strict=True) if rows else [[], [], []]
        data = pa.table(
            {
                name: pa.array(list(values), pa.string())
                for name, values in zip(("store_id", "product_id", "price"), columns, strict=True)
            }
        )
        write_deltalake(str(self.root / "source"), data, mode=mode, **options)  # type: ignore[arg-type]

    def source(self) -> DeltaTable:
        return DeltaTable(str(self.root / "source"))

    def follow(self) -> None:
        self.run("bronze/prices", today())
        self.run("silver/prices", today())

    def prices(self) -> list[tuple]:
        rows = self.rows("silver/prices")
        return sorted(
            (r["store_id"], r["product_id"], str(r["price"])) for r in rows if r["_deleted_at"] is None
        )

    def statuses(self) -> list[str]:
        return [row.status for row in watermarks.watermarks(self.lake.root)["bronze/prices"]]


@pytest.fixture
def shop(spark, tmp_path: Path) -> Shop:
    return Shop(spark, tmp_path, tables(tmp_path / "source"))


@FEEDS
def test_what_changes_at_the_source_is_what_changes_in_silver(shop: Shop, feed: str):
    shop.write(
        [("1", "p1", "1.00"), ("1", "p2", "2.00"), ("2", "p1", "3.00")],
        configuration={"delta.enableChangeDataFeed": feed},
    )
    shop.follow()
    assert shop.prices() == [("1", "p1", "1.00"), ("1", "p2", "2.00"), ("2", "p1", "3.00")]

    source = shop.source()
    source.update(predicate="store_id = '1' AND product_id = 'p1'", updates={"price": "'1.50'"})
    source.update(predicate="store_id = '1' AND product_id = 'p1'", updates={"price": "'1.75'"})
    source.delete("product_id = 'p2'")
    shop.write([("3", "p9", "9.00")])
    shop.source().optimize.compact()
    before = shop.rows("bronze/prices")
    shop.follow()
    assert shop.prices() == [("1", "p1", "1.75"), ("2", "p1", "3.00"), ("3", "p9", "9.00")]
    new = shop.rows("bronze/prices", "store_id", "product_id", "price", "op", "_source_file")
    assert [row[:4] for row in new if row[4] == "prices/batch-2/from=0"] == [
        ("1", "p1", "1.75", "U"),
        ("1", "p2", "2.00", "D"),
        ("3", "p9", "9.00", "U"),
    ]
    assert len(new) == len(before) + 3

    shop.write([("1", "p2", "2.00")])  # a revived key, just as it was
    shop.follow()
    assert ("1", "p2", "2.00") in shop.prices()
    versions = shop.versions(["bronze/prices", "silver/prices"])
    shop.follow()
    assert shop.versions(["bronze/prices", "silver/prices"]) == versions
    assert shop.statuses() == ["SUCCESS", "SUCCESS", "SUCCESS", "NO_DATA"]


def test_past_days_pull_nothing_and_a_lost_watermark_reads_all_again_and_changes_nothing(shop: Shop):
    shop.write([("1", "p1", "1.00"), ("1", "p2", "2.00")])
    shop.run("bronze/prices", PAST)
    assert shop.rows("bronze/prices") == []
    shop.follow()
    versions = shop.versions(["bronze/prices", "silver/prices"])
    DeltaTable(shop.lake.path(watermarks.WATERMARKS.key)).delete()
    shop.follow()
    assert shop.versions(["bronze/prices", "silver/prices"]) == versions
    watermarks.record(shop.lake.root, "bronze/prices", "SUCCESS", None, 0, "reset")
    shop.write([("1", "p3", "3.00")])
    shop.follow()
    assert [row[1] for row in shop.prices()] == ["p1", "p2", "p3"]
    assert len(shop.rows("bronze/prices")) == 3


@pytest.mark.long
@pytest.mark.parametrize("crash", ["data", "ledger", "watermark"])
def test_an_interrupted_batch_is_replaced_by_the_next_run(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, crash: str
):
    shop.write([("1", "p1", "1.00")])
    shop.follow()
    shop.write([("1", "p2", "2.00")])
    with monkeypatch.context() as patch:
        _break(patch, crash)
        with pytest.raises(KeyboardInterrupt):
            shop.run("bronze/prices", today())
    shop.write([("1", "p3", "3.00")])
    shop.follow()
    assert [row[1] for row in shop.prices()] == ["p1", "p2", "p3"]
    landed = shop.rows("bronze/prices", "product_id")
    assert landed == [("p1",), ("p2",), ("p3",)]
    assert shop.run("silver/prices", today())[today()].unaccounted == {}


@pytest.mark.long
def test_a_batch_whose_watermark_was_not_noted_hides_no_delete(shop: Shop, monkeypatch: pytest.MonkeyPatch):
    shop.write([("1", "p1", "1.00")])
    shop.follow()
    shop.write([("1", "p2", "2.00")])
    with monkeypatch.context() as patch:
        _break(patch, "watermark")
        with pytest.raises(KeyboardInterrupt):
            shop.run("bronze/prices", today())
    shop.source().delete("product_id = 'p2'")
    shop.follow()
    assert shop.prices() == [("1", "p1", "1.00")]
    assert watermarks.last_offset(shop.lake.root, "bronze/prices").value == "2"  # type: ignore[union-attr]


@FEEDS
def test_an_update_of_a_key_deletes_the_old_one_and_missing_keys_are_no_deletes(shop: Shop, feed: str):
    shop.write([("1", "p1", "1.00"), ("1", "p2", "2.00")], configuration={"delta.enableChangeDataFeed": feed})
    shop.follow()
    shop.source().update(predicate="product_id = 'p1'", updates={"product_id": "'p9'"})
    data = pa.table({"store_id": ["1"], "product_id": pa.array([None], pa.string()), "price": ["3.00"]})
    write_deltalake(str(shop.root / "source"), data, mode="append")
    shop.follow()
    assert shop.prices() == [("1", "p2", "2.00"), ("1", "p9", "1.00")]
    shop.write([("1", "p3", "3.00")])
    shop.follow()
    assert [row[1] for row in shop.prices()] == ["p2", "p3", "p9"]
    assert shop.rows("quarantine/prices", "op") == [("U",)]


@pytest.mark.long
def test_a_feed_that_was_turned_on_later_is_used_from_then_on(shop: Shop):
    shop.write([("1", "p1", "1.00")])
    shop.follow()
    shop.write([("1", "p2", "2.00")])
    shop.source().alter.set_table_properties({"delta.enableChangeDataFeed": "true"})
    for product in ("p3", "p4"):
        shop.write([("1", product, "3.00")])
        shop.follow()
        assert shop.prices()[-1][1] == product


def test_a_lost_ledger_is_read_from_bronze_again(shop: Shop):
    shop.write([("1", "p1", "1.00")])
    shop.follow()
    shop.write([("1", "p2", "2.00")])
    shop.follow()
    shutil.rmtree(shop.lake.path("control/landed_files"))
    shop.follow()
    assert [row[1] for row in shop.prices()] == ["p1", "p2"]
    assert len(shop.rows("bronze/prices")) == 2


def _break(patch: pytest.MonkeyPatch, crash: str) -> None:
    """Stops the run right before what is named is written."""

    def stop(*args, **kwargs):
        raise KeyboardInterrupt

    if crash == "data":
        patch.setattr("medallion_assets.lakehouse.storage.lake.Lake.append", stop)
    elif crash == "watermark":
        patch.setattr(watermarks, "record", stop)
    else:
        real, calls = batches.record, []

        def record(*args):
            calls.append(args)
            return real(*args) if len(calls) == 1 else stop()

        patch.setattr(batches, "record", record)


def test_what_cannot_be_followed_is_said_and_harms_nothing(shop: Shop, tmp_path: Path):
    with pytest.raises(SourceError, match="There is no Delta table at"):
        shop.run("bronze/prices", today())
    shop.write([("1", "p1", "1.00")])
    shop.write([("1", "p2", "2.00")])
    shop.follow()

    shop.source().delete()
    with pytest.raises(SourceError, match="was emptied after version 1: restore it"):
        shop.run("bronze/prices", today())
    shop.source().restore(1)
    shop.follow()

    bare = {"store_id": ["1"], "product_id": ["p1"]}
    write_deltalake(str(tmp_path / "source"), pa.table(bare), mode="overwrite", schema_mode="overwrite")
    with pytest.raises(SourceError, match="bronze/prices: the source has no column price"):
        shop.run("bronze/prices", today())
    write_deltalake(str(tmp_path / "elsewhere"), pa.table({"store_id": ["1"]}))
    (tmp_path / "source").rename(tmp_path / "old")
    (tmp_path / "elsewhere").rename(tmp_path / "source")
    with pytest.raises(SourceError, match="has no column product_id"):
        shop.run("bronze/prices", today())
    (tmp_path / "source").rename(tmp_path / "bad")
    shop.write([("1", "p1", "7.00")])
    with pytest.raises(SourceError, match="was created again since: run the job reset_watermark"):
        shop.run("bronze/prices", today())
    assert shop.prices() == [("1", "p1", "1.00"), ("1", "p2", "2.00")]
    assert shop.statuses().count("FAILED") == 5


def test_a_type_that_changes_at_the_source_goes_to_quarantine_and_is_never_a_silent_null(shop: Shop):
    shop.write([("1", "p1", "1.00"), ("1", "p2", "cheap")])
    shop.follow()
    assert shop.prices() == [("1", "p1", "1.00")]
    assert shop.rows("quarantine/prices", "price") == [("cheap",)]


@pytest.mark.long
def test_without_a_sequence_the_batches_order_the_changes(shop: Shop):
    silver_prices = shop.tables["silver/prices"]
    shop.tables["silver/prices"] = replace(silver_prices, write=replace(silver_prices.write, sequence_by=()))
    for price in range(1, 4):
        shop.write([("1", "p1", f"{price}.00")], mode="overwrite")
        shop.run("bronze/prices", today())
    shop.run("silver/prices", today())
    assert shop.prices() == [("1", "p1", "3.00")]


def test_both_steps_are_the_ones_of_landed_tables(shop: Shop):
    assert bronze.ingest_days(shop.lake, shop.tables["bronze/prices"], [PAST])[PAST].rows == 0
    assert silver.refresh_days(shop.lake, shop.tables["silver/prices"], [PAST])[PAST].total("rows") == 0
