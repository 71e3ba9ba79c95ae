"""Writes the class archive: the classes that a small day needs, as `lakehouse/spark/class_archive.py` says.

`make` does it once, after the jars are there: it carries a day of a table of its own through the steps.
"""

import sys
import tempfile
import time
from pathlib import Path

from medallion_assets.contracts import (
    BronzeTable,
    Column,
    GoldTable,
    Land,
    ReplaceDay,
    SilverTable,
    Upsert,
    count,
    total,
)
from medallion_assets.lakehouse import bronze, gold, silver
from medallion_assets.lakehouse.spark import class_archive, session
from medallion_assets.lakehouse.storage.lake import Lake

DAY = "2026-01-01"
BRONZE = BronzeTable(
    name="sales",
    description="Sales, as landed",
    write=Land("sales"),
    columns=(Column("id"), Column("day"), Column("amount"), Column("changed_at")),
)
SILVER = SilverTable(
    name="sales",
    description="Sales",
    inputs=(BRONZE,),
    write=Upsert(keys=("id",), sequence_by=("changed_at",)),
    partition_by="day",
    columns=(
        Column("id"),
        Column("day", "date"),
        Column("amount", "decimal(18,2)"),
        Column("changed_at", "timestamp"),
    ),
)
GOLD = GoldTable(
    name="sales",
    description="Sales",
    inputs=(SILVER,),
    write=ReplaceDay("day"),
    partition_by="day",
    columns=(
        Column("day", "date"),
        Column("sales", "bigint", "Lines", measure=count("id")),
        Column("total_sales", "decimal(28,2)", "US dollars", measure=total("amount")),
    ),
)
LINES = f"id,day,amount,changed_at\na,{DAY},1.00,{DAY}T10:00:00Z\nb,{DAY},x,{DAY}T10:00:00Z\n"


def main() -> int:
    target = class_archive.path()
    if target.exists():
        return 0
    started = time.monotonic()
    print("Preparing Java's classes for quicker starts (a minute, once) ...", flush=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        written = Path(folder) / target.name
        spark = session.start(
            {"spark.master": "local[*]", "spark.driver.defaultJavaOptions": class_archive.to_write(written)}
        )
        lake = Lake(spark, f"{folder}/lake", f"{folder}/landing", calendar=(DAY,))
        carry(lake)
        session.end(spark)
        written.rename(target)
    print(f"Java's classes: {target} ({time.monotonic() - started:.0f} s)")
    return 0


def carry(lake: Lake) -> None:
    """A good row and a broken one, from file to gold."""
    folder = Path(lake.landing, "sales", f"date={DAY}")
    folder.mkdir(parents=True)
    (folder / "a.csv").write_text(LINES)
    bronze.ingest_days(lake, BRONZE, [DAY])
    silver.refresh_days(lake, SILVER, [DAY])
    gold.refresh_days(lake, GOLD, [DAY])


if __name__ == "__main__":
    sys.exit(main())
