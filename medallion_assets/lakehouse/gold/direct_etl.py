"""A step of ETL: landed files are validated and transformed in memory, and only the result of each day is written."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from medallion_assets.contracts.table import Extract, Land, Table, Upsert
from medallion_assets.lakehouse.control.file_ledger import UNREADABLE
from medallion_assets.lakehouse.gold.refresh import computed
from medallion_assets.lakehouse.gold.staleness import input_versions
from medallion_assets.lakehouse.landing.listing import list_files
from medallion_assets.lakehouse.landing.reader import FileReport, read_files
from medallion_assets.lakehouse.silver.standardize import business_columns
from medallion_assets.lakehouse.silver.validation import validate
from medallion_assets.lakehouse.spark.expressions import quoted
from medallion_assets.lakehouse.storage.lake import Lake
from medallion_assets.lakehouse.storage.locks import one_writer
from medallion_assets.lakehouse.storage.predicates import days_predicate

_DAY = "_ingestion_date"


@dataclass(frozen=True)
class ExtractDayMetrics:
    """rows, broken: of the landed files; loaded: rows of the result; complaints: path -> what is wrong with it.

    whole: every file could be read; else the day keeps the result that it has
    """

    day: str
    rows: int = 0
    broken: int = 0
    loaded: int = 0
    complaints: Mapping[str, str] = field(default_factory=dict)
    whole: bool = True


def extract_days(
    lake: Lake, table: Table, days: Collection[str], writes: bool = True
) -> dict[str, ExtractDayMetrics]:
    """Each day's result replaces the one before; with `writes` False it is only computed. LandingError as in bronze."""
    assert isinstance(table.write, Extract)
    contract = table.write.judged_by
    source = contract.inputs[0].write
    assert isinstance(source, Land)
    landed, reports = read_files(lake.spark, lake.landing, list_files(lake.landing, source.source, days))
    unreadable = {report.file.day for report in reports if report.status == UNREADABLE}
    whole = sorted(set(days) - unreadable)  # a day of which a file is missing keeps the result that it has
    if landed is None:
        if writes and whole and lake.exists(table.key):
            _replace(lake, table, lake.read(table.key).limit(0), whole)
        return {day: _figures(day, reports, {}, {}) for day in days}
    validated = validate(contract, landed.withColumn("_ingestion_timestamp", F.now())).persist()
    result = _result(lake, table, contract, validated).persist()
    try:
        broken = validated.groupBy(_DAY).agg(F.count_if("_quarantined").alias("n")).collect()
        loaded = result.groupBy(_DAY).agg(F.count("*").alias("n")).collect()
        if writes and whole:
            _replace(lake, table, result.where(days_predicate(_DAY, whole)), whole)
    finally:
        for frame in (result, validated, landed):
            frame.unpersist()
    counts = [{str(row[_DAY]): row["n"] for row in rows} for rows in (broken, loaded)]
    return {day: _figures(day, reports, *counts) for day in days}


def _result(lake: Lake, table: Table, contract: Table, validated: DataFrame) -> DataFrame:
    """The transform sees the valid rows of the contract, of each key the day's last change, without deletes."""
    rows = validated.where("NOT _quarantined")
    if isinstance(contract.write, Upsert):
        newest = Window.partitionBy(_DAY, *contract.write.keys).orderBy(F.col("_sequence").desc())
        rows = rows.withColumn("_rank", F.row_number().over(newest)).where("_rank = 1 AND NOT _is_delete")
    rows = rows.select(*map(quoted, business_columns(rows)), _DAY)
    return computed(lake, table, rows, input_versions(lake.root, table))


def _replace(lake: Lake, table: Table, result: DataFrame, days: Collection[str]) -> None:
    with one_writer(lake.root, table.key):
        lake.replace(result, table.key, days_predicate(_DAY, days), _DAY)


def _figures(
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
