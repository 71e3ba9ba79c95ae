"""Columns of any name that Delta takes work as keys, sequence, tracked and partition columns of silver."""

from dataclasses import replace
from typing import Any

import pytest

from medallion_assets.contracts import Column, Land, Scd2, SilverTable, Upsert
from medallion_assets.lakehouse import silver
from medallion_assets.lakehouse.silver.checks import blocked_by
from medallion_assets.lakehouse.silver.merge import key_ranges
from medallion_assets_tests.support.sample_lake import TABLES, SampleLake

ONE, TWO = "2026-01-01", "2026-01-02"
KEYS, ORDER = ("order-id", "order.id"), ("größe",)
BASKETS = replace(TABLES["bronze/orders"], name="baskets", write=Land("baskets"), columns=())
LATEST = SilverTable(
    name="baskets",
    description="The latest of each basket",
    inputs=(BASKETS,),
    write=Upsert(keys=KEYS, sequence_by=ORDER),
    columns=(
        Column("order-id"),
        Column("order.id", "int"),
        Column("größe", "timestamp"),
        Column("select"),
        Column("group", "date"),
        Column("from`to"),
    ),
    partition_by="group",
)
VERSIONS = replace(
    LATEST, name="basket_versions", write=Scd2(keys=KEYS, sequence_by=ORDER, tracked=("select", "from`to"))
)


def basket(number: str, at: str, select: str, group: str = ONE, op: str = "") -> dict[str, Any]:
    return {
        "order-id": "a",
        "order.id": number,
        "größe": at,
        "select": select,
        "group": group,
        "from`to": f"to {select}",
        "op": op,
        "is.extra": "kept",
    }


@pytest.fixture
def baskets(shop: SampleLake, monkeypatch: pytest.MonkeyPatch) -> SampleLake:
    monkeypatch.setattr(key_ranges, "WORTH_BYTES", 0)  # so that keys are pruned by their ranges, too
    shop.tables = TABLES | {table.key: table for table in (BASKETS, LATEST, VERSIONS)}
    return shop


def latest(shop: SampleLake) -> list[tuple[Any, ...]]:
    shown = ("order-id", "order.id", "select", "group", "from`to", "is.extra", "_deleted_at")
    return [(*row[:-1], (row[-1] or "")[:10]) for row in shop.rows("silver/baskets", *shown)]


def versions(shop: SampleLake) -> list[tuple[Any, ...]]:
    shown = ("order.id", "valid_from", "valid_to", "select", "_deleted_at")
    rows = shop.rows("silver/basket_versions", *shown)
    return [(row[0], row[1][:10], (row[2] or "")[:10], row[3], bool(row[4])) for row in rows]


def test_columns_of_any_name_are_keys_sequence_tracked_and_partition(baskets: SampleLake):
    """An update, a late change and a delete; then a restated day, an audit and a rebuild."""
    baskets.land(
        "baskets", ONE, "a.csv", [basket("1", ONE, "A"), basket("2", TWO, "A"), basket("3", ONE, "A")]
    )
    changes = [
        basket("1", TWO, "B", group=TWO),  # an update, in another partition
        basket("2", ONE, "B"),  # late
        basket("3", TWO, "", op="D"),
    ]
    baskets.land("baskets", TWO, "a.csv", changes)
    for day in (ONE, TWO):
        for table in (BASKETS, LATEST, VERSIONS):
            baskets.run(table.key, day)
    gone = ("a", 3, None, None, None, None, TWO)
    first = [("a", 1, "B", TWO, "to B", "kept", ""), ("a", 2, "A", ONE, "to A", "kept", ""), gone]
    intervals = [
        (1, ONE, TWO, "A", False),
        (1, TWO, "", "B", False),
        (2, ONE, TWO, "B", False),
        (2, TWO, "", "A", False),
        (3, ONE, TWO, "A", False),
        (3, TWO, "", None, True),
    ]
    assert (latest(baskets), versions(baskets)) == (first, intervals)

    baskets.land("baskets", ONE, "a.csv", [basket("1", ONE, "A"), basket("2", TWO, "C")])
    for table in (BASKETS, LATEST, VERSIONS):
        baskets.run(table.key, ONE)
    restated = [first[0], ("a", 2, "C", ONE, "to C", "kept", ""), gone]
    without = [*intervals[:3], (2, TWO, "", "C", False), intervals[5]]
    assert (latest(baskets), versions(baskets)) == (restated, without)
    for table in (LATEST, VERSIONS):
        audited = silver.audit_days(baskets.lake, table, [ONE, TWO])
        assert {blocked_by(table, day) for day in audited.values()} == {None}
        silver.rebuild(baskets.lake, table)
    assert (latest(baskets), versions(baskets)) == (restated, without)


def test_a_quarantined_row_keeps_its_columns_of_any_name(baskets: SampleLake):
    baskets.land("baskets", ONE, "a.csv", [basket("", ONE, "A"), basket("4", "soon", "A")])
    for table in (BASKETS, LATEST):
        baskets.run(table.key, ONE)
    found = baskets.rows("quarantine/baskets", "order.id", "größe", "from`to", "is.extra")
    assert found == [("4", "soon", "to A", "kept"), (None, ONE, "to A", "kept")]
