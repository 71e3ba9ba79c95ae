"""A contract that changed over a stored table: contract and table in, what differs out."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from medallion_assets.contracts import (
    BronzeTable,
    Column,
    GoldTable,
    Land,
    ReplaceDay,
    Scd2,
    SilverTable,
    Upsert,
    count,
)
from medallion_assets.contracts.stored import IncompatibleContract, StoredTable, check_contract, differences

BRONZE = BronzeTable(name="orders", description="As landed", write=Land("orders"), columns=(Column("id"),))
SILVER = SilverTable(
    name="orders",
    description="Orders",
    inputs=(BRONZE,),
    write=Upsert(keys=("id",), sequence_by=("at",)),
    partition_by="day",
    columns=(Column("id"), Column("day", "date"), Column("at", "timestamp"), Column("n", "bigint")),
)
GOLD = GoldTable(
    name="sales",
    description="Sales",
    inputs=(SILVER,),
    write=ReplaceDay("day"),
    partition_by="day",
    columns=(Column("day", "date"), Column("amount", "bigint", measure=count("id"))),
)


def stored(table: SilverTable | GoldTable) -> StoredTable:
    """What is stored of a table that was written by its contract."""
    keys = table.write.keys if isinstance(table.write, Upsert) else None
    fields = table.sequence_fields if isinstance(table, SilverTable) else {}
    sequence = {"_sequence": _struct(fields)} if fields else {}
    return StoredTable({**table.types, **sequence}, table.partition_by, keys)


def _struct(fields: Mapping[str, str]) -> str:
    return f"struct<{','.join(f'{name}:{type_}' for name, type_ in fields.items())}>"


OLD_SEQUENCE = {"at": "timestamp", "is_delete": "boolean", "hash": "string"}
OLDER = replace(stored(SILVER), types={**stored(SILVER).types, "_sequence": _struct(OLD_SEQUENCE)})
"""Of a release that stored the content as text, and no nanoseconds."""
LANDED = stored(replace(SILVER, columns=(*SILVER.columns, Column("extra"))))


@pytest.mark.parametrize(
    ("table", "there"),
    [
        (SILVER, stored(SILVER)),
        (GOLD, stored(GOLD)),
        (replace(SILVER, columns=(*SILVER.columns, Column("new", "date"))), stored(SILVER)),
        (SILVER, OLDER),
        (SILVER, LANDED),  # a landed column that no contract ever typed
        (replace(SILVER, write=Upsert(("n",), ("at",))), replace(stored(SILVER), keys=None)),  # an old table
        (
            replace(SILVER, write=ReplaceDay(), partition_by=None),
            StoredTable({"id": "string"}, "_ingestion_date"),
        ),
        (replace(GOLD, columns=(*GOLD.columns, Column("new", "date"))), stored(GOLD)),
    ],
)
def test_a_contract_that_only_adds_is_the_same(table: SilverTable | GoldTable, there: StoredTable):
    assert list(differences(table, there)) == []


OTHERS: list[tuple[SilverTable | GoldTable, SilverTable | GoldTable, str]] = [
    (
        replace(SILVER, write=Upsert(("n",), ("at",))),
        SILVER,
        "its keys are id in the lake and n in the contract",
    ),
    (
        replace(SILVER, write=Upsert(("id",), ("at", "n"))),
        SILVER,
        "its changes are ordered by at:timestamp in the lake and at:timestamp, n:bigint here",
    ),
    (
        replace(SILVER, write=Upsert(("id",))),
        SILVER,
        "its changes are ordered by at:timestamp in the lake and ingestion_date:date, file:string here",
    ),
    (
        replace(SILVER, write=ReplaceDay(), partition_by=None),
        SILVER,
        "it has keys in the lake, against the contract",
    ),
    (
        replace(SILVER, write=Scd2(("id",), ("at",), tracked=("n",))),
        SILVER,
        "it keeps no versions in the lake, against the contract",
    ),
    (
        replace(SILVER, partition_by=None),
        SILVER,
        "it is partitioned by day in the lake and by None in the contract",
    ),
    (
        replace(SILVER, columns=(*SILVER.columns[:3], Column("n", "int"))),
        SILVER,
        "n is bigint in the lake and int in the contract",
    ),
    (
        replace(SILVER, columns=SILVER.columns[:3]),
        SILVER,
        "n is bigint in the lake and no column of the contract",
    ),
    (
        replace(GOLD, columns=(GOLD.columns[0], Column("amount", "decimal(28,2)", measure=count("id")))),
        GOLD,
        "amount is bigint in the lake and decimal(28,2) in the contract",
    ),
    (
        replace(GOLD, columns=GOLD.columns[:1]),
        GOLD,
        "amount is bigint in the lake and no column of the contract",
    ),
    (
        replace(GOLD, partition_by=None),
        GOLD,
        "it is partitioned by day in the lake and by None in the contract",
    ),
]


@pytest.mark.parametrize(("table", "before", "message"), OTHERS, ids=[message for _, _, message in OTHERS])
def test_what_changed_is_told_before_anything_is_written(
    table: SilverTable | GoldTable, before: SilverTable | GoldTable, message: str
):
    assert message in list(differences(table, stored(before)))
    with pytest.raises(IncompatibleContract, match=f"full_refresh for the table {table.key}"):
        check_contract(table, stored(before))
