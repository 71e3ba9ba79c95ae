"""The lake of `make cdc-demo`: where it is, what its tables hold, and what Dagster has of their checks."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
from deltalake import DeltaTable

from medallion_assets.commands import cdc_demo_data as data
from medallion_assets.commands.job_runner import dagster_instance
from medallion_assets.contracts import Avro, BronzeTable, GoldTable, SilverTable, Table
from medallion_assets.errors import MedallionError
from medallion_assets.lakehouse.control.streams import STREAMS
from medallion_assets.lakehouse.storage.lake import table_path
from medallion_assets.orchestration.assets.checks import checks_of
from medallion_assets.orchestration.resources import LakehouseResource
from medallion_assets.tables.examples.cdc.bronze import debezium_orders as bronze
from medallion_assets.tables.examples.cdc.bronze import debezium_orders_avro as bronze_avro
from medallion_assets.tables.examples.cdc.gold import daily_debezium_orders as gold
from medallion_assets.tables.examples.cdc.gold import daily_debezium_orders_avro as gold_avro
from medallion_assets.tables.examples.cdc.silver import debezium_orders as silver
from medallion_assets.tables.examples.cdc.silver import debezium_orders_avro as silver_avro


@dataclass(frozen=True)
class Encoding:
    """What messages are in, the prefix of their topic, and the tables that they come to."""

    name: str
    prefix: str
    bronze: BronzeTable
    silver: SilverTable
    gold: GoldTable

    @property
    def topic(self) -> str:
        return f"{self.prefix}.public.orders"

    @property
    def has_schemas(self) -> bool:
        """Whether a registry has those of its messages."""
        return isinstance(self.bronze.payload, Avro)


ENCODINGS = (
    Encoding("JSON", "shop", bronze.TABLE, silver.TABLE, gold.TABLE),
    Encoding("Avro", "shop_avro", bronze_avro.TABLE, silver_avro.TABLE, gold_avro.TABLE),
)
TABLES: tuple[Table, ...] = tuple(t for one in ENCODINGS for t in (one.bronze, one.silver, one.gold))


class DemoError(MedallionError):
    """Silver or gold is not what the database holds, or the lake has the tables of an earlier demo."""


class DemoLake:
    """A lake in the folder, unless MEDALLION_LAKEHOUSE names one, and its history of runs and checks.

    Sets the environment, also that of the stream. DemoError.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        (folder / "landing").mkdir()
        os.environ["MEDALLION_LANDING"] = str(folder / "landing")
        if not os.environ.get("MEDALLION_LAKEHOUSE"):
            (folder / "home").mkdir()
            (folder / "home" / "dagster.yaml").touch()
            os.environ["MEDALLION_LAKEHOUSE"] = str(folder / "lake")
            os.environ["DAGSTER_HOME"] = str(folder / "home")
        self.root = LakehouseResource().lake_root
        for table in TABLES:
            if self._has(table.key):
                raise DemoError(
                    f"The lake {self.root} has {table.key} of an earlier demo, whose topic is gone: "
                    "name another one by MEDALLION_LAKEHOUSE, or none."
                )

    def has_stream(self) -> bool:
        """Whether a stream gave a sign of life."""
        return self._has(STREAMS.key)

    def held(self, key: str) -> data.Rows:
        """The rows of gold, and of silver those that are not deleted; none of a table that is not there yet."""
        if key in [one.gold.key for one in ENCODINGS]:
            return data.by_key(self._rows(key, data.GOLD))
        rows = self._rows(key, (*data.SILVER, "_deleted_at"))
        return data.by_key([row[:-1] for row in rows if row[-1] is None])

    def verdicts(self) -> list[bool]:
        """Whether each check of the tables passed, as far as Dagster has a result."""
        with dagster_instance() as instance:
            found = [
                instance.get_latest_asset_check_evaluation_record(
                    dg.AssetCheckKey(dg.AssetKey(table.key.split("/")), check.name)
                )
                for table in TABLES
                for check in checks_of(table)
            ]
        events = [record.event.dagster_event for record in found if record and record.event]
        return [event.asset_check_evaluation_data.passed for event in events if event]

    def _has(self, key: str) -> bool:
        return DeltaTable.is_deltatable(table_path(self.root, key))

    def _rows(self, key: str, columns: Sequence[str]) -> list[tuple[object, ...]]:
        if not self._has(key):
            return []
        found = DeltaTable(table_path(self.root, key)).to_pyarrow_table(columns=list(columns))
        return [tuple(row[name] for name in columns) for row in found.to_pylist()]
