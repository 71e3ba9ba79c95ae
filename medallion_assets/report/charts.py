"""Charts as plotly.js draws them: `data` and `layout`. The colours of page and text are those of its light and dark."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from medallion_assets.report.series import OTHERS, WAITING, Series

PALETTE = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#8c6bb1", "#b5a642")
"""After Okabe and Ito: told apart also by people who see few colours."""
COLOURS = {
    "current": "#009e73",
    "superseded": "#56b4e9",
    "deleted": "#8c8c8c",
    "void": "#b5a642",
    "quarantined": "#d55e00",
    "bronze": "#b0713a",
    "silver": "#8c9bab",
    "gold": "#d9a400",
    WAITING: "#a02334",
    OTHERS: "#8c8c8c",
}

LABELS = 8
"""Days that are named below a chart: as many as fit on a phone. The hover names each."""


@dataclass(frozen=True)
class Chart:
    """note: what there is to see, in a sentence."""

    title: str
    note: str
    data: list[dict[str, Any]]
    layout: dict[str, Any]


def stacked_bars(title: str, note: str, days: Sequence[str], series: Series, unit: str = "") -> Chart:
    data = [
        {"type": "bar", "x": [*days], "y": [*values], "name": escape(name), "marker": {"color": colour}}
        for (name, values), colour in _coloured(series)
    ]
    layout = _layout(days, unit)
    layout["yaxis"] |= {"rangemode": "tozero"}
    return Chart(title, note, data, layout | {"barmode": "stack", "bargap": 0.2})


def lines(title: str, note: str, days: Sequence[str], series: Series, unit: str = "") -> Chart:
    data = [_line(name, days, values, colour) for (name, values), colour in _coloured(series)]
    return Chart(title, note, data, _layout(days, unit))


def with_line(chart: Chart, name: str, days: Sequence[str], values: Sequence[float | None]) -> Chart:
    """The chart with a dotted line over it."""
    line = _line(name, days, values, "#888888")
    line["line"] |= {"dash": "dot"}
    return Chart(chart.title, chart.note, [*chart.data, line], chart.layout)


def _line(name: str, days: Sequence[str], values: Sequence[float | None], colour: str) -> dict[str, Any]:
    shape = {"type": "scatter", "mode": "lines+markers", "line": {"color": colour, "width": 2}}
    return {**shape, "x": [*days], "y": [*values], "name": escape(name), "marker": {"size": 5}}


def _coloured(series: Series) -> Iterable[tuple[tuple[str, Sequence[float | None]], str]]:
    free = iter(PALETTE * (len(series) // len(PALETTE) + 1))
    return [((name, values), COLOURS.get(name) or next(free)) for name, values in series.items()]


def _layout(days: Sequence[str], unit: str) -> dict[str, Any]:
    """For a card of the page: its title is HTML, and its legend is below, where a phone has room for it."""
    labelled = days[:: -(-len(days) // LABELS) or 1]
    labels = {"tickvals": [*labelled], "ticktext": [day[5:] for day in labelled], "tickangle": 0}
    axis: Mapping[str, Any] = {"fixedrange": True, "automargin": True}
    return {
        "height": 340,
        "margin": {"l": 8, "r": 8, "t": 8, "b": 8},
        "xaxis": {**axis, **labels, "type": "category", "showgrid": False},
        "yaxis": {**axis, "title": {"text": escape(unit)}},
        "legend": {"orientation": "h", "y": -0.12, "yanchor": "top", "traceorder": "normal"},
        "hovermode": "x unified",
        "showlegend": True,
    }
