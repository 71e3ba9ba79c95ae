"""What changed contracts will do, by ledgers and logs alone: a lake of two days and a changed table in, a plan out."""

from dataclasses import replace
from datetime import date, datetime, timezone
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import write_deltalake

from medallion_assets.contracts import (
    BronzeTable,
    Column,
    Dimension,
    Extract,
    GoldTable,
    Join,
    Land,
    ReplaceDay,
    SilverTable,
    Table,
    count,
    not_null,
    total,
)
from medallion_assets.lakehouse.control.file_ledger import FoldedEntry, LandedEntry, record
from medallion_assets.lakehouse.control.gold_refreshes import record_refresh
from medallion_assets.lakehouse.control.run_log import RunEntry, append
from medallion_assets.lakehouse.gold.staleness import input_versions
from medallion_assets.lakehouse.monitoring.contract_plan import Need, plan, seconds_in_all

ONE, TWO = "2026-01-05", "2026-01-06"
BRONZE = BronzeTable(
    name="visits",
    description="As landed",
    write=Land("visits"),
    columns=(Column("shop"), Column("day"), Column("n")),
)
SILVER = SilverTable(
    name="visits",
    description="Visits",
    inputs=(BRONZE,),
    write=ReplaceDay(),
    columns=(Column("shop"), Column("day", "date"), Column("n", "int")),
)
SHOPS = GoldTable(
    name="dim_shop",
    description="Shops",
    inputs=(SILVER,),
    write=Dimension(surrogate="shop_key", keys=("shop",)),
    columns=(Column("shop_key"), Column("shop")),
)
DAILY = GoldTable(
    name="visits_by_day",
    description="Visits by day",
    inputs=(SILVER,),
    joins=(Join(SHOPS, on="shop", columns=("shop_key",), follows=()),),
    write=ReplaceDay("day"),
    partition_by="day",
    columns=(Column("day", "date"), Column("people", "bigint", measure=total("n"))),
)
TABLES: tuple[Table, ...] = (BRONZE, SILVER, SHOPS, DAILY)
STORED = {
    SILVER.key: {
        "shop": ["a", "b"],
        "day": [ONE, TWO],
        "n": pa.array([1, 2], pa.int32()),
        "_ingestion_date": [ONE, TWO],
    },
    SHOPS.key: {"shop_key": ["x"], "shop": ["a"]},
    DAILY.key: {"day": [ONE, TWO], "people": pa.array([1, 2], pa.int64())},
}


@pytest.fixture
def root(tmp_path: Path) -> str:
    """Two days under the contracts above; a day took 2 s in silver and 1 s in gold, the dimension 3 s in all."""
    root = str(tmp_path)
    landed = [
        LandedEntry(BRONZE.key, day, f"visits/{day}", 1, "t", "loaded", 10, 0, []) for day in (ONE, TWO)
    ]
    record(root, LandedEntry, BRONZE.key, [ONE, TWO], landed)
    record(root, FoldedEntry, SILVER.key, [ONE, TWO], [merged(day, SILVER.fingerprint) for day in (ONE, TWO)])
    for table in (SILVER, SHOPS, DAILY):
        write(root, table)
        if isinstance(table, GoldTable):
            record_refresh(root, table, input_versions(root, table))
    for table, seconds in ((SILVER, 2.0), (SHOPS, 1.5), (DAILY, 1.0)):
        ran(root, table, "first", seconds * 100)
        ran(root, table, "second", seconds)
    return root


def merged(day: str, fingerprint: str) -> FoldedEntry:
    return FoldedEntry(SILVER.key, day, f"visits/{day}", 1, "t", fingerprint, 10, 10, 0, 0, 0, 1.0)


def write(root: str, table: Table) -> None:
    dates = {"day", "_ingestion_date"}
    columns: dict[str, Any] = {
        name: [date.fromisoformat(day) for day in values] if name in dates else values
        for name, values in STORED[table.key].items()
    }
    by = [table.partition_column] if table.partition_column else None
    write_deltalake(f"{root}/{table.key}", pa.table(columns), partition_by=by)


def ran(root: str, table: Table, run_id: str, seconds: float) -> None:
    at = datetime(2026, 1, 7, hour=len(run_id), tzinfo=timezone.utc)
    entry = RunEntry(table.key, ONE, run_id, "OK", table.fingerprint, at, 10, seconds=seconds)
    append(root, [entry, replace(entry, day=TWO)])


def with_changed(*changed: Table) -> list[Table]:
    """All tables, with these in the place of those that they change."""
    found = {table.key: table for table in TABLES} | {table.key: table for table in changed}
    return list(found.values())


def planned(root: str, tables: list[Table]) -> list[tuple[Any, ...]]:
    return [(p.table.key, p.need, p.days, p.rows, p.below, p.seconds) for p in plan(root, tables)]


def test_where_the_contracts_are_those_of_the_lake_nothing_would_change(root: str):
    assert plan(root, TABLES) == []


def test_a_changed_rule_of_silver_is_a_replay_and_the_gold_that_follows(root: str):
    changed = replace(SILVER, rules=(not_null("shop"),))
    tables = with_changed(changed)
    assert planned(root, tables) == [
        (SILVER.key, Need.REPLAY, (ONE, TWO), 20, (SHOPS.key, DAILY.key), 4.0),
    ]
    assert seconds_in_all(root, plan(root, tables), tables) == 4.0 + 3.0 + 2.0
    record(root, FoldedEntry, SILVER.key, [TWO], [merged(TWO, changed.fingerprint)])
    assert planned(root, tables) == [(SILVER.key, Need.REPLAY, (ONE,), 10, (SHOPS.key, DAILY.key), 2.0)]


def test_silver_that_no_longer_fits_is_rebuilt_from_all_that_landed(root: str):
    (found,) = plan(root, with_changed(replace(SILVER, columns=(*SILVER.columns[:2], Column("n", "bigint")))))
    assert (found.need, found.days, found.rows) == (Need.FULL_REFRESH, (ONE, TWO), 20)
    assert found.differs == ("n is int in the lake and bigint in the contract",)


def test_changed_gold_is_materialized_or_rebuilt(root: str):
    assert planned(root, with_changed(replace(DAILY, where="n > 0"))) == [
        (DAILY.key, Need.MATERIALIZE, (ONE, TWO), 2, (), 2.0)
    ]
    (found,) = plan(root, with_changed(replace(DAILY, partition_by=None)))
    assert (found.need, found.differs) == (
        Need.FULL_REFRESH,
        ("it is partitioned by day in the lake and by None in the contract",),
    )


def test_a_dimension_computes_again_only_what_follows_it(root: str):
    changed = replace(SHOPS, where="shop <> ''")
    assert planned(root, with_changed(changed)) == [(SHOPS.key, Need.MATERIALIZE, (), 2, (), 3.0)]
    followed = replace(DAILY, joins=(replace(DAILY.joins[0], follows=None),))
    record_refresh(root, followed, input_versions(root, followed))
    tables = with_changed(changed, followed)
    assert planned(root, tables) == [(SHOPS.key, Need.MATERIALIZE, (), 2, (DAILY.key,), 3.0)]
    assert seconds_in_all(root, plan(root, tables), tables) == 3.0 + 2.0


def test_a_new_table_is_materialized_for_all_days_that_its_inputs_have(root: str):
    new = replace(
        DAILY, name="visits_again", columns=(DAILY.columns[0], Column("n", "bigint", measure=count("n")))
    )
    orphan = replace(new, name="orphan", inputs=(replace(SILVER, name="nothing_yet"),))
    silver = replace(SILVER, name="visits_twice")
    assert planned(root, [*TABLES, silver, new, orphan]) == [
        (silver.key, Need.MATERIALIZE, (ONE, TWO), 20, (), None),
        (new.key, Need.MATERIALIZE, (ONE, TWO), 2, (), None),
    ]


def test_a_changed_extract_is_known_by_the_code_of_its_last_runs(root: str):
    extract = GoldTable(
        name="etl", description="", write=Extract(SILVER), columns=(Column("_ingestion_date", "date"),)
    )
    assert plan(root, [*TABLES, extract]) == []
    ran(root, extract, "first", 1.0)
    assert plan(root, [*TABLES, extract]) == []
    changed = replace(extract, columns=(*extract.columns, Column("shop")))
    assert planned(root, [*TABLES, changed]) == [(extract.key, Need.MATERIALIZE, (ONE, TWO), 20, (), 2.0)]
