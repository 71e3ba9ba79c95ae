"""The charts of the report, by its sections: each with its title and what there is to see in it."""

from collections.abc import Iterable, Iterator, Mapping

from medallion_assets.contracts.silver import SilverTable
from medallion_assets.contracts.table import Table
from medallion_assets.report import series
from medallion_assets.report.by_category import breakdowns
from medallion_assets.report.charts import Chart, lines, stacked_bars, with_line
from medallion_assets.report.records import Records


def sections(root: str, tables: Mapping[str, Table], records: Records) -> dict[str, list[Chart]]:
    """Those that have something to show."""
    found = {
        "Gold by category": _by_category(root, tables.values(), records),
        "Rows by outcome": _rows(tables.values(), records),
        "Quality": _quality(records),
        "Runs": _runs(records),
    }
    charts = {title: [*charts] for title, charts in found.items()}
    return {title: drawn for title, drawn in charts.items() if drawn}


def _rows(tables: Iterable[Table], records: Records) -> Iterator[Chart]:
    note = "What became of the rows that landed, the dotted line: each has one outcome."
    for table in (table for table in tables if isinstance(table, SilverTable)):
        landed = series.landed_rows(table, records)
        if any(landed):
            chart = stacked_bars(
                table.key, note, records.days, series.rows_by_outcome(table, records), "rows"
            )
            yield with_line(chart, "landed", records.days, landed)


def _quality(records: Records) -> Iterator[Chart]:
    if scores := series.quality_scores(records):
        note = "The mean share of rules that a row satisfies, 0 to 100, rows in quarantine included, refused days not."
        yield lines("Quality score", note, records.days, scores)
    if broken := series.broken_by_rule(records):
        note = "A row that breaks several rules counts with each. Some rules only warn."
        yield stacked_bars("Rows that break a rule", note, records.days, broken, "rows")


def _runs(records: Records) -> Iterator[Chart]:
    if seconds := series.seconds_by_layer(records):
        note = "Of all runs of the day; a run over several days counts with equal shares."
        yield stacked_bars("Seconds by layer", note, records.days, seconds, "seconds")
    if again := series.written_again(records):
        note = "Tables that a later run wrote once more after the day was published: late rows, or changed files."
        yield stacked_bars("Touched days", note, records.days, again, "tables")


def _by_category(root: str, tables: Iterable[Table], records: Records) -> Iterator[Chart]:
    for one in breakdowns(root, tables, records.days):
        described = {column.name: one.table.description_of(column) for column in one.table.columns}
        title = f"{one.table.name}: {one.measure} by {one.dimension}"
        yield stacked_bars(title, one.table.description, records.days, one.series, described[one.measure])
