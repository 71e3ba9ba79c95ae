"""SQL predicates over days and files: `replaceWhere` takes only text."""

from collections.abc import Collection, Mapping

from medallion_assets.contracts.sql_text import quoted_name


def literal(text: str) -> str:
    """A SQL string literal; `replaceWhere` takes only text."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def days_predicate(column: str, days: Collection[str]) -> str:
    dates = ", ".join(f"DATE'{day}'" for day in sorted(days))
    return f"{quoted_name(column)} IN ({dates})"


def files_predicate(whole_days: Collection[str], files: Mapping[str, Collection[str]]) -> str:
    """Rows of whole ingestion days, and of single files of other days (day -> paths)."""
    parts = [days_predicate("_ingestion_date", whole_days)] if whole_days else []
    for day, paths in sorted(files.items()):
        listed = ", ".join(literal(path) for path in sorted(paths))
        parts.append(f"(_ingestion_date = DATE'{day}' AND _source_file IN ({listed}))")
    return " OR ".join(parts)
