"""The rows that broke a rule, as landed: one table beside each silver table."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from medallion_assets.contracts.column import INGESTION_DATE
from medallion_assets.contracts.silver import SilverTable
from medallion_assets.contracts.technical_columns import PLACE_OF_MESSAGE, PROVENANCE, SOURCE_FILE
from medallion_assets.lakehouse.control.file_ledger import FoldedEntry, columns
from medallion_assets.lakehouse.silver.day_metrics import SilverDayMetrics
from medallion_assets.lakehouse.silver.run import MergeMode, SilverRun
from medallion_assets.lakehouse.silver.validation import failed_rules
from medallion_assets.lakehouse.storage import transaction_log
from medallion_assets.lakehouse.storage.lake import table_path
from medallion_assets.lakehouse.storage.locks import one_writer
from medallion_assets.lakehouse.storage.open_table import find_table
from medallion_assets.lakehouse.storage.predicates import files_predicate
from medallion_assets.lakehouse.storage.sample_rows import sample_rows


def quarantine_key(name: str) -> str:
    """The key of the table with the quarantined rows of the silver table `name`."""
    return f"quarantine/{name}"


def quarantined_examples(root: str, table: SilverTable, day: str) -> list[dict[str, Any]]:
    """Some of the day's rows, without personal data; none without the table."""
    stored = find_table(table_path(root, quarantine_key(table.name)))
    of_day = f"{INGESTION_DATE} = DATE '{day}'"
    return [] if stored is None else sample_rows(stored, of_day, table.pii_columns)


def telling_columns(table: SilverTable, rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """The columns of quarantined rows that say why: broken rules, key, what these rules judge, and the file."""
    broken = {rule for row in rows for rule in row["_failed_rules"] or ()}
    judged = [column for rule in table.row_rules if rule.name in broken for column in rule.columns]
    return ["_failed_rules", *table.merge_keys, *judged, SOURCE_FILE]


def days_in_quarantine(root: str, table: SilverTable) -> dict[str, int]:
    """Day -> its rows in quarantine, as silver's ledger has them; no days of which rows were purged."""
    held = transaction_log.partition_bytes(root, quarantine_key(table.name))
    rows: dict[str, int] = defaultdict(int)
    for entry in columns(root, FoldedEntry, table.key, "day", "quarantined"):
        day, quarantined = str(entry[0]), int(entry[1])
        if quarantined and day in held:
            rows[day] += quarantined
    return dict(rows)


def write_quarantine(run: SilverRun, validated: DataFrame, days: Mapping[str, SilverDayMetrics]) -> None:
    """The broken rows of the run's files replace what quarantine holds of them, or of all files in a rebuild.

    Needs: what `validate` adds. One commit; none where nothing is broken and nothing is held.
    """
    key = quarantine_key(run.table.name)
    held = transaction_log.partition_bytes(run.lake.root, key)
    broken = any(days[day].files[path].quarantined for day, files in run.files.items() for path in files)
    if run.mode is MergeMode.REBUILD:
        if broken or run.lake.exists(key):
            with one_writer(run.lake.root, key):
                run.lake.rewrite(quarantined_rows(run.table, validated), key, "_ingestion_date")
    elif broken or held.keys() & run.plans.keys():
        whole = [day for day in run.plans if day in run.restated or day not in held]
        single = {day: files for day, files in run.files.items() if day not in whole}
        predicate = files_predicate(whole, single)
        with one_writer(run.lake.root, key):
            rows = quarantined_rows(run.table, validated)
            run.lake.replace(rows, key, predicate, "_ingestion_date", run.plans)


def quarantined_rows(table: SilverTable, validated: DataFrame) -> DataFrame:
    """The broken rows as landed, with the names of the rules that they broke.

    Needs: what `validate` adds. Adds: `_failed_rules`, `_quarantined_timestamp`. A message says where it was.
    """
    return validated.where("_quarantined").select(
        "_landed.*",
        failed_rules(table.row_rules).alias("_failed_rules"),
        "_data_quality_score",
        *PROVENANCE,
        "_corrupt_record",
        *[name for name in PLACE_OF_MESSAGE if name in validated.columns],
        F.current_timestamp().alias("_quarantined_timestamp"),
    )
