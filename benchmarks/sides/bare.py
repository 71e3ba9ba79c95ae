"""A plain Spark script that makes the same tables, tuned as one would: no ledgers, no rules, no checks.

A load replaces its days in bronze, merges them into silver by key, and replaces the touched days of gold. It has the
settings of our session.
"""

from collections.abc import Callable, Sequence
from datetime import date

from delta.tables import DeltaTable
from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F

from benchmarks.cases import Load
from benchmarks.places import Places
from benchmarks.probe import Probe
from benchmarks.sides import queries
from medallion_assets.lakehouse.spark import session

# Texts, as they land. Without them Spark would read each file once more, to find out.
COLUMNS = {
    "orders": "order_id customer_id product_id order_date order_amount order_status updated_at",
    "customers": "customer_id customer_segment updated_at age home_ownership marital_status household_size "
    "household_comp kids_count",
}
_DIALECT = {"timestamp": "TIMESTAMP", "days_between": "date_diff(last_of_all, last_order_date)"}


class Bare:
    """Loads by SQL and MERGE."""

    def __init__(self, places: Places, layers: tuple[str, ...]):
        self.places, self.layers = places, layers
        self.spark = session.start()

    @property
    def jobs_started(self) -> Callable[[], int]:
        return lambda: session.jobs_started(self.spark)

    def load(self, load: Load, probe: Probe) -> None:
        landed = {source: self._bronze(source, load, probe) for source in ("orders", "customers", "products")}
        for name, query in queries.SILVER.items():
            if landed[name] is not None:
                with probe.step(f"silver.{name}"):
                    self._replace(f"silver/{name}", self._query(query))
        days: list[date] = []
        if (orders := landed["orders"]) is not None:
            with probe.step("silver.orders"):
                days = self._merge_orders(orders)
        if "gold" in self.layers:
            self._dimensions({name for name, rows in landed.items() if rows is not None}, probe)
            self._facts(days, probe)

    def _bronze(self, source: str, load: Load, probe: Probe) -> DataFrame | None:
        """The landed rows of the load, as bronze has them; None where nothing landed."""
        folders = self.places.landed(source, load)
        if not folders:
            return None
        days = ", ".join(f"'{folder.rpartition('=')[2]}'" for folder in folders)
        with probe.step(f"bronze.{source}"):
            rows = self._landed(source, folders)
            self._replace_days(f"bronze/{source}", rows, "date", f"date IN ({days})")
        return self._view(f"bronze/{source}").where(f"date IN ({days})")

    def _landed(self, source: str, folders: list[str]) -> DataFrame:
        reader = self.spark.read.option("basePath", str(self.places.landing / source))
        if source == "products":
            return reader.parquet(*folders)
        texts = ", ".join(f"{name} STRING" for name in COLUMNS[source].split())
        reader = reader.schema(f"{texts}, date DATE")
        return reader.option("header", True).csv(folders) if source == "orders" else reader.json(folders)

    def _merge_orders(self, landed: DataFrame) -> list[date]:
        """Upserts the landed orders; returns their days."""
        landed.createOrReplaceTempView("landed_orders")
        changes, path = self._query(queries.SILVER_ORDERS), self._path("silver/orders")
        bounds = self._bounds(landed)
        if not DeltaTable.isDeltaTable(self.spark, path):
            changes.write.format("delta").partitionBy("order_date").save(path)
        else:
            # The range of the keys lets statistics rule out files.
            near = f"t.order_id BETWEEN '{bounds.least}' AND '{bounds.greatest}'"
            merge = DeltaTable.forPath(self.spark, path).alias("t")
            merge = merge.merge(changes.alias("s"), f"t.order_id = s.order_id AND {near}")
            merge = merge.whenMatchedUpdateAll("s.updated_at >= t.updated_at").whenNotMatchedInsertAll()
            merge.execute()
        return sorted(bounds.days)

    def _bounds(self, landed: DataFrame) -> Row:
        days = F.collect_set(F.to_date("order_date")).alias("days")
        return landed.agg(F.min("order_id").alias("least"), F.max("order_id").alias("greatest"), days).head()  # type: ignore[return-value]

    def _dimensions(self, landed: set[str], probe: Probe) -> None:
        if not DeltaTable.isDeltaTable(self.spark, self._path("gold/dim_date")):
            with probe.step("gold.dim_date"):
                self._replace("gold/dim_date", self.spark.createDataFrame(queries.dim_date()))
        for source, (name, query) in queries.DIMENSIONS.items():
            if source in landed:
                with probe.step(f"gold.{name}"):
                    self._view(f"silver/{source}")
                    self._replace(f"gold/{name}", self._query(query))

    def _facts(self, days: Sequence[date], probe: Probe) -> None:
        for key in queries.FACT_INPUTS:
            self._view(key)
        where = queries.touched(list(days))
        with probe.step("gold.fact_orders"):
            facts = self._query(queries.FACT_ORDERS, where).sortWithinPartitions("order_date", "customer_id")
            self._replace_days("gold/fact_orders", facts, "order_date", where.removeprefix("o."))
        self._view("gold/fact_orders")
        for name, query in queries.CELLS.items():
            with probe.step(f"gold.{name}"):
                rows = self._query(query, where)
                self._replace_days(f"gold/{name}", rows, "order_date", where.removeprefix("o."))
        with probe.step("gold.customer_activity"):
            self._replace("gold/customer_activity", self._query(queries.CUSTOMER_ACTIVITY))

    def _query(self, query: str, touched: str = "") -> DataFrame:
        return self.spark.sql(query.format(touched=touched, **_DIALECT))

    def _replace(self, key: str, rows: DataFrame) -> None:
        rows.write.format("delta").mode("overwrite").save(self._path(key))

    def _replace_days(self, key: str, rows: DataFrame, column: str, days: str) -> None:
        writer = rows.write.format("delta").partitionBy(column)
        if DeltaTable.isDeltaTable(self.spark, self._path(key)):
            writer = writer.mode("overwrite").option("replaceWhere", days)
        writer.save(self._path(key))

    def _view(self, key: str) -> DataFrame:
        """The table as it is now, also for the queries."""
        rows = self.spark.read.format("delta").load(self._path(key))
        rows.createOrReplaceTempView(key.replace("/", "_"))
        return rows

    def _path(self, key: str) -> str:
        return str(self.places.lake / key)
