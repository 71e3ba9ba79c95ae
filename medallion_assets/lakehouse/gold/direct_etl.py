"""A step of ETL: landed files are validated and transformed in memory, and only the result of each day is written."""

from collections.abc import Callable, Collection, Mapping, Set
from dataclasses import dataclass, field
from functools import partial

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from medallion_assets.contracts.gold import Extract, GoldTable
from medallion_assets.contracts.silver import SilverTable
from medallion_assets.lakehouse.control.file_ledger import UNREADABLE
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


Write = Callable[[Lake, GoldTable, DataFrame | None, Collection[str]], None]
"""Writes the result (None: no file was there) of the days whose files could all be read."""


def extract_days(
    lake: Lake, table: GoldTable, days: Collection[str], writes: bool = True
) -> dict[str, ExtractDayMetrics]:
    """Each day's result replaces the one before; with `writes` False it is only computed. LandingError as in bronze."""
    return _extract(lake, table, days, _replace if writes else None)


def rebuild_extract(lake: Lake, table: GoldTable) -> dict[str, ExtractDayMetrics]:
    """The table becomes the result of all landed days, with the contract's columns and types.

    BlockedDays, and the table is as it was, if a file cannot be read. LandingError as in bronze.
    """
    days = list_days(lake.landing, table.landing_folder)
    return _extract(lake, table, days, partial(_rewrite, all_days=frozenset(days)))


def _extract(
    lake: Lake, table: GoldTable, days: Collection[str], write: Write | None
) -> dict[str, ExtractDayMetrics]:
    assert isinstance(table.write, Extract)
    contract = table.write.validated_by
    landed, reports = read_files(
        lake.spark, lake.landing, list_files(lake.landing, table.landing_folder, days)
    )
    unreadable = {report.file.day for report in reports if report.status == UNREADABLE}
    whole = sorted(set(days) - unreadable)  # a day of which a file is missing keeps the result that it has
    if landed is None:
        if write:
            write(lake, table, None, whole)
        return {day: _figures(day, reports, {}, {}) for day in days}
    validated = validate(contract, landed.withColumn("_ingestion_timestamp", F.now())).persist()
    result = _result(lake, table, contract, validated).persist()
    try:
        broken = validated.groupBy(_DAY).agg(F.count_if("_quarantined").alias("n")).collect()
        loaded = result.groupBy(_DAY).agg(F.count("*").alias("n")).collect()
        if write:
            write(lake, table, result, whole)
    finally:
        for frame in (result, validated, landed):
            frame.unpersist()
    counts = [{str(row[_DAY]): row["n"] for row in rows} for rows in (broken, loaded)]
    return {day: _figures(day, reports, *counts) for day in days}


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


def _replace(lake: Lake, table: GoldTable, result: DataFrame | None, whole: Collection[str]) -> None:
    if not whole or (result is None and not lake.exists(table.key)):
        return
    with one_writer(lake.root, table.key):
        hold_to_contract(lake, table)
        wanted = days_predicate(_DAY, whole)
        rows = lake.read(table.key).limit(0) if result is None else result.where(wanted)
        lake.replace(rows, table.key, wanted, _DAY)


def _rewrite(
    lake: Lake, table: GoldTable, result: DataFrame | None, whole: Collection[str], all_days: Set[str]
) -> None:
    if broken := sorted(all_days - set(whole)):
        days = ", ".join(broken)
        raise BlockedDays(f"{table.key} is as it was: files of {days} cannot be read. Correct them first")
    with one_writer(lake.root, table.key):
        lake.rewrite(lake.empty(table.types) if result is None else result, table.key, _DAY)


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
