"""Gold dates: the days of the calendar, with what people group by."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from medallion_assets.contracts import Column, Dimension, GoldTable

TABLE = GoldTable(
    name="dim_date",
    description="The days of the calendar, and one unknown day for those outside of it.",
    write=Dimension(surrogate="date_key", keys=("date",)),
    columns=(
        Column("date_key", "int", "yyyymmdd; -1 outside the calendar"),
        Column("date", "date", "The day"),
        Column("year", "int", "Year"),
        Column("quarter", "int", "1 to 4"),
        Column("month", "int", "1 to 12"),
        Column("month_name", "string", "January to December"),
        Column("day_of_month", "int", "1 to 31"),
        Column("iso_year", "int", "Year of the ISO week"),
        Column("iso_week", "int", "ISO 8601 week, 1 to 53"),
        Column("day_of_week", "int", "1 (Monday) to 7 (Sunday)"),
        Column("day_name", "string", "Monday to Sunday"),
        Column("is_weekend", "boolean", "Saturday or Sunday"),
    ),
)


def transform(days: DataFrame) -> DataFrame:
    return days.select(
        F.date_format("date", "yyyyMMdd").cast("int").alias("date_key"),
        "date",
        F.year("date").alias("year"),
        F.quarter("date").alias("quarter"),
        F.month("date").alias("month"),
        F.date_format("date", "MMMM").alias("month_name"),
        F.day("date").alias("day_of_month"),
        F.expr("extract(YEAROFWEEK FROM date)").alias("iso_year"),
        F.weekofyear("date").alias("iso_week"),
        (F.weekday("date") + 1).alias("day_of_week"),
        F.date_format("date", "EEEE").alias("day_name"),
        (F.weekday("date") >= 5).alias("is_weekend"),
    )
