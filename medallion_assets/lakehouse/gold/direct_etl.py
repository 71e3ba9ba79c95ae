"""ETL: landed files are validated and transformed in memory, and only the result of each day is written.

The rules are those of a silver contract, the aggregation is gold's. No bronze or silver is stored on the way.
"""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from medallion_assets.contracts.column import INGESTION_DATE
from medallion_assets.contracts.gold import GoldTable
from medallion_assets.contracts.gold_policies import Extract
from medallion_assets.contracts.silver import SilverTable
from medallion_assets.contracts.technical_columns import INGESTION_TIMESTAMP, SOURCE_ROW
from medallion_assets.lakehouse.control.file_ledger import UNREADABLE
from medallion_assets.lakehouse.gold.computation import computed
from medallion_assets.lakehouse.gold.day_metrics import ExtractDayMetrics
from medallion_assets.lakehouse.gold.staleness import input_versions
from medallion_assets.lakehouse.gold.star_join import with_normal_keys
from medallion_assets.lakehouse.landing.listing import list_days, list_files
from medallion_assets.lakehouse.landing.reader import FileReport, place_in_file, read_files
from medallion_assets.lakehouse.silver.full_refresh import BlockedDays
from medallion_assets.lakehouse.silver.merge.order import last_first, with_followed
from medallion_assets.lakehouse.silver.standardize import business_columns
from medallion_assets.lakehouse.silver.validation import valid_rows, validate
from medallion_assets.lakehouse.spark.expressions import quoted
from medallion_assets.lakehouse.storage.lake import Lake
from medallion_assets.lakehouse.storage.locks import one_writer
from medallion_assets.lakehouse.storage.predicates import days_predicate
from medallion_assets.lakehouse.storage.stored_contract import check_stored_contract


def extract_days(lake: Lake, table: GoldTable, days: Collection[str]) -> dict[str, ExtractDayMetrics]:
    """Each day's result replaces the one before. A day with an unreadable file keeps the result that it has.

    LandingError where the landing root or the source's folder is missing.
    """
    with _extracted(lake, table, days) as (metrics, result):
        readable = [day for day, of_day in metrics.items() if of_day.whole]
        if readable and (result is not None or lake.exists(table.key)):
            wanted = days_predicate(INGESTION_DATE, readable)
            with one_writer(lake.root, table.key):
                check_stored_contract(lake, table)
                rows = lake.read(table.key).limit(0) if result is None else result.where(wanted)
                lake.replace(rows, table.key, wanted, INGESTION_DATE, readable)
    return metrics


def rebuild_extract(lake: Lake, table: GoldTable) -> dict[str, ExtractDayMetrics]:
    """The table becomes the result of all landed days, with the contract's columns and types.

    BlockedDays if a file cannot be read; the table is not changed then. LandingError as in `extract_days`.
    """
    with _extracted(lake, table, list_days(lake.landing, table.landing_folder)) as (metrics, result):
        if unreadable := sorted(day for day, of_day in metrics.items() if not of_day.whole):
            days = ", ".join(unreadable)
            raise BlockedDays(f"{table.key} is as it was: files of {days} cannot be read. Correct them first")
        with one_writer(lake.root, table.key):
            rows = lake.empty(table.types) if result is None else result
            lake.rewrite(rows, table.key, INGESTION_DATE)
    return metrics


def audit_extract_days(lake: Lake, table: GoldTable, days: Collection[str]) -> dict[str, ExtractDayMetrics]:
    """What `extract_days` would find in the landed files now. Writes nothing. LandingError as there."""
    with _extracted(lake, table, days) as (metrics, _):
        return metrics


@contextmanager
def _extracted(
    lake: Lake, table: GoldTable, days: Collection[str]
) -> Iterator[tuple[dict[str, ExtractDayMetrics], DataFrame | None]]:
    """The metrics of the days and their rows, kept in memory within the context; None where no file has rows."""
    assert isinstance(table.write, Extract)
    contract = table.write.validated_by
    files = list_files(lake.landing, table.landing_folder, days)
    landed, reports = read_files(lake.spark, lake.landing, files, contract.inputs[0].required_columns)
    if landed is None:
        yield {day: _metrics(day, reports, {}, {}) for day in days}, None
        return
    added = {INGESTION_TIMESTAMP: F.now(), SOURCE_ROW: place_in_file()}
    validated = validate(contract, landed.withColumns(added)).persist()
    result = _result(lake, table, contract, validated).persist()
    try:
        broken = validated.groupBy(INGESTION_DATE).agg(F.count_if("_quarantined").alias("n")).collect()
        loaded = result.groupBy(INGESTION_DATE).agg(F.count("*").alias("n")).collect()
        counts = [{str(row[INGESTION_DATE]): row["n"] for row in rows} for rows in (broken, loaded)]
        yield {day: _metrics(day, reports, *counts) for day in days}, result
    finally:
        for frame in (result, validated, landed):
            frame.unpersist()


def _result(lake: Lake, table: GoldTable, contract: SilverTable, validated: DataFrame) -> DataFrame:
    """What the table makes of the valid rows; of each key only the day's last change counts, and no delete.

    Needs: the columns of `validate`. Returns: the table's columns and `_gold_created_timestamp`.
    """
    rows = valid_rows(validated)
    if contract.write.has_keys:
        rows = with_followed(contract, rows)
        keys = Window.partitionBy(INGESTION_DATE, *map(quoted, contract.merge_keys))
        rows = rows.withColumn("_rank", F.row_number().over(keys.orderBy(*last_first(rows))))
        rows = rows.where("_rank = 1 AND NOT _is_delete")
    rows = rows.select(*map(quoted, business_columns(rows)), INGESTION_DATE)
    return computed(lake, table, with_normal_keys(table, rows), input_versions(lake.root, table))


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
        notes={report.file.path: report.note for report in own if report.note},
        whole=all(report.status != UNREADABLE for report in own),
    )
