"""A step of ETL: landed files are validated and transformed in memory, and only the result of each day is written."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from medallion_assets.contracts.gold import Extract, GoldTable
from medallion_assets.contracts.silver import SilverTable
from medallion_assets.lakehouse.control.file_ledger import UNREADABLE
from medallion_assets.lakehouse.gold.day_metrics import ExtractDayMetrics
from medallion_assets.lakehouse.gold.refresh import computed
from medallion_assets.lakehouse.gold.staleness import input_versions
from medallion_assets.lakehouse.landing.listing import list_days, list_files
from medallion_assets.lakehouse.landing.reader import FileReport, read_files
from medallion_assets.lakehouse.silver.full_refresh import BlockedDays
from medallion_assets.lakehouse.silver.standardize import business_columns
from medallion_assets.lakehouse.silver.validation import validate
from medallion_assets.lakehouse.spark.expressions import quoted
from medallion_assets.lakehouse.storage.lake import Lake
from medallion_assets.lakehouse.storage.locks import one_writer
from medallion_assets.lakehouse.storage.predicates import days_predicate
from medallion_assets.lakehouse.storage.stored_contract import hold_to_contract

_DAY = "_ingestion_date"


def extract_days(lake: Lake, table: GoldTable, days: Collection[str]) -> dict[str, ExtractDayMetrics]:
    """Each day's result replaces the one before, if all its files can be read. LandingError as in bronze."""
    with _extracted(lake, table, days) as (metrics, result):
        whole = sorted(day for day, of_day in metrics.items() if of_day.whole)
        if whole and (result is not None or lake.exists(table.key)):
            with one_writer(lake.root, table.key):
                hold_to_contract(lake, table)
                wanted = days_predicate(_DAY, whole)
                rows = lake.read(table.key).limit(0) if result is None else result.where(wanted)
                lake.replace(rows, table.key, wanted, _DAY)
    return metrics


def rebuild_extract(lake: Lake, table: GoldTable) -> dict[str, ExtractDayMetrics]:
    """The table becomes the result of all landed days, with the contract's columns and types.

    BlockedDays, and the table is as it was, if a file cannot be read. LandingError as in bronze.
    """
    with _extracted(lake, table, list_days(lake.landing, table.landing_folder)) as (metrics, result):
        if broken := sorted(day for day, of_day in metrics.items() if not of_day.whole):
            days = ", ".join(broken)
            raise BlockedDays(f"{table.key} is as it was: files of {days} cannot be read. Correct them first")
        with one_writer(lake.root, table.key):
            lake.rewrite(lake.empty(table.types) if result is None else result, table.key, _DAY)
    return metrics


def audit_extract_days(lake: Lake, table: GoldTable, days: Collection[str]) -> dict[str, ExtractDayMetrics]:
    """What `extract_days` would find in the landed files now; nothing is written."""
    with _extracted(lake, table, days) as (metrics, _):
        return metrics


@contextmanager
def _extracted(
    lake: Lake, table: GoldTable, days: Collection[str]
) -> Iterator[tuple[dict[str, ExtractDayMetrics], DataFrame | None]]:
    """The metrics of the days and their rows, held in memory within; no rows where no file has landed."""
    assert isinstance(table.write, Extract)
    contract = table.write.validated_by
    files = list_files(lake.landing, table.landing_folder, days)
    landed, reports = read_files(lake.spark, lake.landing, files)
    if landed is None:
        yield {day: _metrics(day, reports, {}, {}) for day in days}, None
        return
    validated = validate(contract, landed.withColumn("_ingestion_timestamp", F.now())).persist()
    result = _result(lake, table, contract, validated).persist()
    try:
        broken = validated.groupBy(_DAY).agg(F.count_if("_quarantined").alias("n")).collect()
        loaded = result.groupBy(_DAY).agg(F.count("*").alias("n")).collect()
        counts = [{str(row[_DAY]): row["n"] for row in rows} for rows in (broken, loaded)]
        yield {day: _metrics(day, reports, *counts) for day in days}, result
    finally:
        for frame in (result, validated, landed):
            frame.unpersist()


def _result(lake: Lake, table: GoldTable, contract: SilverTable, validated: DataFrame) -> DataFrame:
    """The transform sees the valid rows of the contract, of each key the day's last change, without deletes."""
    rows = validated.where("NOT _quarantined")
    if contract.write.has_keys:
        newest = Window.partitionBy(_DAY, *map(quoted, contract.merge_keys)).orderBy(
            F.col("_sequence").desc()
        )
        rows = rows.withColumn("_rank", F.row_number().over(newest)).where("_rank = 1 AND NOT _is_delete")
    rows = rows.select(*map(quoted, business_columns(rows)), _DAY)
    return computed(lake, table, rows, input_versions(lake.root, table))


def _metrics(
    day: str, reports: Collection[FileReport], broken: Mapping[str, int], loaded: Mapping[str, int]
) -> ExtractDayMetrics:
    own = [report for report in reports if report.file.day == day]
    return ExtractDayMetrics(
        day=day,
        rows=sum(report.rows for report in own),
        broken=broken.get(day, 0),
        loaded=loaded.get(day, 0),
        complaints={report.file.path: report.message for report in own if report.message},
        whole=all(report.status != UNREADABLE for report in own),
    )
