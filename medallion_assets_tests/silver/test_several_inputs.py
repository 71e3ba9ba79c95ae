"""A silver table of several inputs: their changes in one order, the rows of each with their own outcome."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from medallion_assets.contracts.bronze import BronzeTable, FollowTopic, Land
from medallion_assets.contracts.column import Column
from medallion_assets.contracts.gold import GoldTable
from medallion_assets.contracts.measures import count, total
from medallion_assets.contracts.merge_policies import Scd2, Upsert
from medallion_assets.contracts.rules import not_negative
from medallion_assets.contracts.silver import SilverTable
from medallion_assets.contracts.table import ReplaceDay, Table
from medallion_assets.lakehouse.control.file_ledger import LandedEntry, entries, record
from medallion_assets.lakehouse.silver.audit import audit_days
from medallion_assets.lakehouse.silver.full_refresh import rebuild
from medallion_assets.lakehouse.silver.ledgers import SameBatches
from medallion_assets_tests.support.events import today
from medallion_assets_tests.support.kafka_broker import Broker, Message
from medallion_assets_tests.support.sample_lake import SampleLake

TILLS = BronzeTable(
    name="tills",
    description="Sales of the tills, a file a day.",
    write=Land("tills", nulls=("NULL",)),
    columns=(Column("ID"), Column("changed"), Column("day"), Column("amount")),
)
COLUMNS = (
    Column("id", "bigint"),
    Column("at", "timestamp", source=("at", "changed")),
    Column("day", "date"),
    Column("amount", "decimal(10,2)"),
)
DAY = "2026-01-05"


def sales(*inputs: BronzeTable) -> SilverTable:
    return SilverTable(
        name="sales",
        description="The latest state of each sale, wherever it was made.",
        inputs=inputs,
        write=Upsert(keys=("id",), sequence_by=("at",)),
        columns=COLUMNS,
        rules=(not_negative("amount"),),
        partition_by="day",
    )


def topic(broker: Broker, name: str) -> BronzeTable:
    sent = FollowTopic(broker.topic(), broker.servers)
    return BronzeTable(name=name, description="Sales as they happen.", write=sent)


def name_of(source: BronzeTable) -> str:
    assert isinstance(source.write, FollowTopic)
    return source.write.topic


def tables(*declared: Table) -> dict[str, Any]:
    return {table.key: table for table in declared}


def sale(id: int, at: str, amount: Any = "1.00", **fields: Any) -> dict[str, Any]:
    return {"id": id, "at": at, "day": DAY, "amount": amount, **fields}


def messages(*changes: dict[str, Any]) -> list[Message]:
    return [(str(change["id"]), json.dumps(change)) for change in changes]


def landed(shop: SampleLake, day: str, name: str, *changes: dict[str, Any]) -> None:
    """As the tills spell it: the key in capitals, the time under another name."""
    rows = [{"ID": row.pop("id"), "changed": row.pop("at"), **row} for row in map(dict, changes)]
    shop.land("tills", day, name, rows)


def live(shop: SampleLake) -> dict[int, str]:
    return {row["id"]: str(row["amount"]) for row in shop.rows("silver/sales") if row["_deleted_at"] is None}


def test_files_and_topics_are_merged_in_one_order_and_each_keeps_its_own_count(
    shop: SampleLake, broker: Broker
):
    web, app = topic(broker, "web"), topic(broker, "app")
    silver = sales(TILLS, web, app)
    shop.tables = tables(TILLS, web, app, silver)
    (shop.landing / "tills").mkdir()
    landed(
        shop,
        today(),
        "a.csv",
        sale(1, "2026-01-05T10:00:00Z", "1.00"),
        sale(2, "2026-01-05T12:00:00Z", "2.00"),
    )
    shop.run(TILLS.key, today())
    shop.run(silver.key, today())  # bronze of the topics is not there yet
    assert live(shop) == {1: "1.00", 2: "2.00"}

    sent = [sale(1, "2026-01-05T11:00:00Z", "1.10"), sale(2, "2026-01-05T11:00:00Z", "2.10"), sale(3, "x")]
    broker.send(name_of(web), [*messages(*sent), ("4", None)])
    broker.send(
        name_of(app),
        messages(sale(1, "2026-01-05T10:30:00Z", op="D"), sale(5, "2026-01-05T10:00:00Z", -1)),
    )
    landed(
        shop, today(), "b.csv", sale(6, "2026-01-05T10:00:00Z", "NULL"), sale(7, "2026-01-05T10:00:00Z", "-7")
    )
    for source in silver.inputs:
        shop.run(source.key, today())
    day = shop.run(silver.key, today())[today()]
    # In the order of their times: the file's sale 2 is the latest, the delete of sale 1 came before its change.
    assert live(shop) == {1: "1.10", 2: "2.00", 6: "None"}
    assert {
        path: (e.current, e.superseded, e.deleted, e.quarantined, e.void) for path, e in day.files.items()
    } == {
        f"tills/date={today()}/a.csv": (2, 0, 0, 0, 0),
        f"tills/date={today()}/b.csv": (1, 0, 0, 1, 0),
        "web/batch-1/from=start": (1, 1, 0, 1, 1),
        "app/batch-1/from=start": (0, 1, 0, 1, 0),
    }
    assert day.unaccounted == {}
    assert shop.rows("quarantine/sales", "_source_file", "_topic", "_offset") == [
        ("app/batch-1/from=start", name_of(app), 1),
        (f"tills/date={today()}/b.csv", None, None),
        ("web/batch-1/from=start", name_of(web), 2),
    ]
    now = audit_days(shop.lake, silver, [today()])[today()]
    assert (now.total("current"), now.total("quarantined"), now.unaccounted) == (3, 3, {})

    before = shop.versions([silver.key, "quarantine/sales"])
    shop.run(silver.key, today())
    assert shop.versions([silver.key, "quarantine/sales"]) == before

    # A file that is gone takes its changes along: of sale 2 what the topic said is the latest again.
    shop.remove("tills", today(), "a.csv")
    shop.run(TILLS.key, today())
    shop.run(silver.key, today())
    assert live(shop) == {1: "1.10", 2: "2.10", 6: "None"}
    merged = shop.rows("silver/sales", "id", "amount", "_sequence", "_source_file")
    rebuild(shop.lake, silver)
    assert shop.rows("silver/sales", "id", "amount", "_sequence", "_source_file") == merged


def test_batches_that_an_older_version_named_alike_are_refused(shop: SampleLake, broker: Broker):
    web, app = topic(broker, "web"), topic(broker, "app")
    shop.tables = tables(web, app, sales(web, app))
    for source in (web, app):
        broker.send(name_of(source), messages(sale(1, "2026-01-05T10:00:00Z")))
        shop.run(source.key, today())
        _named_as_before(shop, source)
    with pytest.raises(SameBatches, match="silver/sales cannot tell batch-1/from=start of bronze/app"):
        shop.run("silver/sales", today())


@pytest.mark.long
def test_the_same_sales_as_files_as_messages_or_as_both_give_the_same_tables(
    shop: SampleLake, broker: Broker, tmp_path: Path
):
    dice = Random(11)
    minutes = dice.sample(range(60), 60)  # no two changes of one time
    changes = [
        sale(
            dice.randrange(12),
            f"2026-01-05T10:{minute:02}:00Z",
            f"{minute}.00",
            day=f"2026-01-0{dice.randrange(1, 4)}",
            op="D" if dice.random() < 0.2 else "U",
        )
        for minute in minutes
    ]
    by_files = _delivered(shop, tmp_path / "files", broker, changes, [])
    assert len(by_files["gold/daily_sales"]) == 3
    assert _delivered(shop, tmp_path / "messages", broker, [], changes) == by_files
    assert _delivered(shop, tmp_path / "both", broker, changes[:40], changes[20:]) == by_files


def _delivered(
    shop: SampleLake,
    root: Path,
    broker: Broker,
    in_files: Sequence[dict[str, Any]],
    sent: Sequence[dict[str, Any]],
) -> dict[str, list[Any]]:
    """The business columns of what two runs, of half of the changes each, make of them."""
    lake, web = SampleLake(shop.spark, root), topic(broker, "web")
    latest = sales(TILLS, web)
    versions = replace(latest, name="versions", write=Scd2(("id",), ("at",), tracked=("amount",)))
    daily = GoldTable(
        name="daily_sales",
        description="Sales by day.",
        inputs=(latest,),
        write=ReplaceDay("day"),
        partition_by="day",
        columns=(
            Column("day", "date"),
            Column("sales", "bigint", measure=count("id")),
            Column("amount", "decimal(28,2)", measure=total("amount")),
        ),
    )
    lake.tables = tables(TILLS, web, latest, versions, daily)
    (lake.landing / "tills").mkdir()
    for part in range(2):
        if some := in_files[part::2]:
            landed(lake, today(), f"{part}.csv", *some)
        broker.send(name_of(web), messages(*sent[part::2]))
        for key in lake.tables:
            lake.run(key, today())
    return {
        latest.key: lake.rows(latest.key, "id", "at", "day", "amount", "_deleted_at"),
        versions.key: lake.rows(versions.key, "id", "at", "day", "amount", "valid_from", "valid_to"),
        daily.key: lake.rows(daily.key, "day", "sales", "amount"),
    }


def _named_as_before(shop: SampleLake, source: BronzeTable) -> None:
    """Bronze as it was when batches did not bear the name of their table."""
    days = entries(shop.lake.root, LandedEntry, source.key)
    old = [replace(entry, path="batch-1/from=start") for files in days.values() for entry in files.values()]
    record(shop.lake.root, LandedEntry, source.key, days, old)
