"""Draws the page: one HTML text that loads nothing, and in which a value of the data is nothing but text."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from importlib.resources import files
from itertools import groupby
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from medallion_assets.lakehouse.control.small_table import now
from medallion_assets.report.outcomes import MEANINGS

_NOTHING: Mapping[str, Any] = {
    "figures": {},
    "heat_map": {},
    "held_back": [],
    "more_held_back": 0,
    "late": [],
    "more_late": 0,
    "sections": {},
}


def draw(lake: str, days: Sequence[str], **shown: Any) -> str:
    """shown: what there is of `_NOTHING`'s names; without any of it the page says that nothing ran."""
    pages = Environment(
        loader=PackageLoader("medallion_assets.report", "pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    pages.filters |= {"span": span, "months": months}
    package = files("medallion_assets.report") / "pages"
    return pages.get_template("report.html").render(
        lake=lake,
        days=days,
        made_at=f"{now():%Y-%m-%d %H:%M} UTC",
        meanings=MEANINGS,
        style=Markup((package / "report.css").read_text(encoding="utf-8")),
        script=Markup((package / "report.js").read_text(encoding="utf-8")),
        plotly=Markup((files("plotly.package_data") / "plotly.min.js").read_text(encoding="utf-8")),
        **{**_NOTHING, **shown},
    )


def months(days: Sequence[str]) -> list[tuple[str, int]]:
    """The months of the days, and how many of the days each has."""
    return [(month, len([*same])) for month, same in groupby(days, key=lambda day: day[:7])]


def span(time: timedelta) -> str:
    minutes = int(time.total_seconds() // 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h" if minutes < 2880 else f"{time.days} d"
