"""SQL predicates over days and files, as text: `replaceWhere` takes nothing else."""

from collections.abc import Collection, Mapping, Sequence

from medallion_assets.contracts.column import INGESTION_DATE
from medallion_assets.contracts.sql_text import quoted_name, quoted_text
from medallion_assets.contracts.technical_columns import SOURCE_FILE


def days_predicate(column: str, days: Collection[str]) -> str:
    """Rows of these days. Needs at least one day; `column` is a date and may have any name."""
    dates = ", ".join(f"DATE'{day}'" for day in sorted(days))
    return f"{quoted_name(column)} IN ({dates})"


def partitions_predicate(columns: Sequence[str], values: Collection[str | None]) -> str:
    """Rows of these partitions (None: the NULL partition) of the first of the columns; all rows where there is none."""
    if not columns:
        return "true"
    column = quoted_name(columns[0])
    listed = ", ".join(quoted_text(value) for value in sorted(v for v in values if v is not None))
    parts = [f"CAST({column} AS STRING) IN ({listed})"] if listed else []
    return " OR ".join(parts + ([f"{column} IS NULL"] if None in values else []))


def files_predicate(whole_days: Collection[str], files: Mapping[str, Collection[str]]) -> str:
    """Rows of whole ingestion days, and of single files of other days (day -> paths)."""
    parts = [days_predicate(INGESTION_DATE, whole_days)] if whole_days else []
    for day, paths in sorted(files.items()):
        listed = ", ".join(quoted_text(path) for path in sorted(paths))
        parts.append(f"({INGESTION_DATE} = DATE'{day}' AND {SOURCE_FILE} IN ({listed}))")
    return " OR ".join(parts)
