"""The rows that broke a rule, as landed."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from medallion_assets.contracts.silver import SilverTable
from medallion_assets.contracts.technical_columns import PROVENANCE
from medallion_assets.lakehouse.silver.validation import failed_rules


def quarantined_rows(table: SilverTable, validated: DataFrame) -> DataFrame:
    """The broken rows as landed, with the names of the rules that they broke."""
    return validated.where("_quarantined").select(
        "_landed.*",
        failed_rules(table.row_rules).alias("_failed_rules"),
        "_data_quality_score",
        *PROVENANCE,
        "_corrupt_record",
        F.current_timestamp().alias("_quarantined_timestamp"),
    )
