"""The same tables by DuckDB, which computes, and delta-rs, which writes: what one process without a JVM can do."""

from collections.abc import Callable, Iterable
from datetime import date

import duckdb
from deltalake import DeltaTable, write_deltalake

from benchmarks.cases import Load
from benchmarks.places import Places
from benchmarks.probe import Probe
from benchmarks.sides import queries

_READERS = {
    "orders": "read_csv({files}, all_varchar = true, hive_partitioning = true, hive_types = {{'date': DATE}})",
    "customers": "read_json({files}, hive_partitioning = true, hive_types = {{'date': DATE}})",
    "products": "read_parquet({files}, hive_partitioning = true, hive_types = {{'date': DATE}})",
}
_DIALECT = {"timestamp": "TIMESTAMPTZ", "days_between": "last_of_all - last_order_date"}


class Duck:
    """Loads by SQL and the merge of delta-rs."""

    def __init__(self, places: Places, layers: tuple[str, ...]):
        self.places, self.layers = places, layers
        self.base = duckdb.connect()
        self.base.execute("SET TimeZone = 'UTC'")

    @property
    def jobs_started(self) -> Callable[[], int]:
        return lambda: 0

    def load(self, load: Load, probe: Probe) -> None:
        landed = {source for source in _READERS if self._bronze(source, load, probe)}
        for name, query in queries.SILVER.items():
            if name in landed:
                with probe.step(f"silver.{name}"):
                    self._view(f"bronze/{name}")
                    self._write(f"silver/{name}", query)
        days: list[date] = []
        if "orders" in landed:
            with probe.step("silver.orders"):
                days = self._merge_orders()
        if "gold" in self.layers:
            self._dimensions(landed, probe)
            self._facts(days, probe)

    def _bronze(self, source: str, load: Load, probe: Probe) -> bool:
        """Whether something landed. `landed_<source>` then has the rows of the load."""
        folders = self.places.landed(source, load)
        if not folders:
            return False
        with probe.step(f"bronze.{source}"):
            reader = _READERS[source].format(files=[f"{folder}/*" for folder in folders])
            self.base.execute(f"CREATE OR REPLACE VIEW landed_{source} AS SELECT * FROM {reader}")
            days = [folder.rpartition("=")[2] for folder in folders]
            self._write(f"bronze/{source}", f"SELECT * FROM landed_{source}", "date", days)
        return True

    def _merge_orders(self) -> list[date]:
        """Upserts the landed orders; returns their days."""
        self.base.execute(f"CREATE OR REPLACE TABLE changes AS {self._text(queries.SILVER_ORDERS)}")
        found = self.base.execute("SELECT DISTINCT order_date FROM changes ORDER BY 1").fetchall()
        path = self._path("silver/orders")
        if not DeltaTable.is_deltatable(path):
            self._write("silver/orders", "SELECT * FROM changes", "order_date")
        else:
            rows = self.base.sql("SELECT * FROM changes").to_arrow_table()
            matched = "t.order_id = s.order_id"
            merge = DeltaTable(path).merge(rows, matched, source_alias="s", target_alias="t")
            merge = merge.when_matched_update_all("s.updated_at >= t.updated_at")
            merge.when_not_matched_insert_all().execute()
        return [row[0] for row in found]

    def _dimensions(self, landed: set[str], probe: Probe) -> None:
        if not DeltaTable.is_deltatable(self._path("gold/dim_date")):
            with probe.step("gold.dim_date"):
                write_deltalake(self._path("gold/dim_date"), queries.dim_date())
        for source, (name, query) in queries.DIMENSIONS.items():
            if source in landed:
                with probe.step(f"gold.{name}"):
                    self._view(f"silver/{source}")
                    self._write(f"gold/{name}", query)

    def _facts(self, days: list[date], probe: Probe) -> None:
        for key in queries.FACT_INPUTS:
            self._view(key)
        touched, texts = queries.touched(days), [str(one) for one in days]
        with probe.step("gold.fact_orders"):
            facts = f"{queries.FACT_ORDERS} ORDER BY o.order_date, o.customer_id"
            self._write("gold/fact_orders", facts, "order_date", texts, touched)
        self._view("gold/fact_orders")
        for name, query in queries.CELLS.items():
            with probe.step(f"gold.{name}"):
                self._write(f"gold/{name}", query, "order_date", texts, touched)
        with probe.step("gold.customer_activity"):
            self._write("gold/customer_activity", queries.CUSTOMER_ACTIVITY)

    def _write(
        self, key: str, query: str, column: str | None = None, days: Iterable[str] = (), touched: str = ""
    ) -> None:
        """Writes what the query finds: the whole table, or in place of the days of the column."""
        rows = self.base.sql(self._text(query, touched)).to_arrow_reader()
        there, listed = DeltaTable.is_deltatable(self._path(key)), ", ".join(f"'{one}'" for one in days)
        predicate = f"{column} IN ({listed})" if there and listed else None
        partitions = [column] if column else None
        write_deltalake(self._path(key), rows, mode="overwrite", partition_by=partitions, predicate=predicate)

    def _text(self, query: str, touched: str = "") -> str:
        return query.format(touched=touched, **_DIALECT)

    def _view(self, key: str) -> None:
        """The table as it is now. DuckDB reads its files itself: as a scan by delta-rs it would take longer."""
        table = DeltaTable(self._path(key))
        columns = "{" + ", ".join(f"'{name}': DATE" for name in table.metadata().partition_columns) + "}"
        hive = f", hive_partitioning = true, hive_types = {columns}" if columns != "{}" else ""
        self.base.execute(
            f"CREATE OR REPLACE VIEW {key.replace('/', '_')} AS "
            f"SELECT * FROM read_parquet({table.file_uris()}{hive})"
        )

    def _path(self, key: str) -> str:
        return str(self.places.lake / key)
