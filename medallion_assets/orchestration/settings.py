"""The environment: what each variable may be, checked as a whole before anything uses it; and what is read at import.

What a variable does is in docs/settings.md.
"""

import os
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, timezone
from pathlib import Path
from urllib.parse import unquote, urlsplit

import dagster as dg

from medallion_assets.errors import MedallionError
from medallion_assets.lakehouse.spark.given_settings import MASTERS, is_master, is_properties

DEFAULT_FIRST_DAY = "2017-01-01"
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/")


class SettingsError(MedallionError):
    """Variables with values that cannot be meant: a line for each."""


def faults(environment: Mapping[str, str]) -> list[str]:
    """A line for each variable that is set to what it cannot be: its name, its value, and what is expected."""
    return [
        f"{name}={'(not shown)' if name in _SECRET or 'token=' in value else repr(value)}: expected is {expected}"
        for name, (is_right, expected) in _EXPECTED.items()
        if (value := environment.get(name)) is not None and not is_right(value)
    ]


def check_environment() -> None:
    """SettingsError if a variable is wrong."""
    if lines := faults(os.environ):
        raise SettingsError("\n".join(lines))


def as_path(place: str) -> str:
    """A folder as an absolute path, also where it was given as a file:// URL; another URL as it is."""
    local = unquote(urlsplit(place).path) if place.startswith("file://") else place
    return local if "://" in local else str(Path(local).expanduser().absolute())


def is_on() -> bool:
    """MEDALLION_SENSORS=on, as in `make dev`."""
    return os.environ.get("MEDALLION_SENSORS") == "on"


def _is_first_day(value: str) -> bool:
    try:
        return str(date.fromisoformat(value)) == value <= f"{datetime.now(timezone.utc):%Y-%m-%d}"
    except ValueError:
        return False


def _is_place(value: str) -> bool:
    if value != value.strip() or not value.isprintable():
        return False
    url = urlsplit(value)
    if value.startswith("file:"):
        return value.startswith("file:///")
    if _SCHEME.match(value):
        return "://" in value and bool(url.netloc)
    return not value or not Path(value).expanduser().is_file()


def _is_web(value: str) -> bool:
    return not value or (value.startswith(("http://", "https://")) and bool(urlsplit(value).netloc))


Expected = tuple[Callable[[str], bool], str]
_PLACE: Expected = (
    _is_place,
    "a folder (absolute, relative or file:///...), or a URL such as s3a://bucket/folder",
)
_STORES = ("s3", "s3a", "abfss", "gs")
_FOLDER_OR_STORE: Expected = (
    lambda value: (
        _is_place(value) and ("://" not in value or value.partition("://")[0] in ("file", *_STORES))
    ),
    f"a folder (absolute, relative or file:///...), or a URL of {', '.join(f'{name}://' for name in _STORES)}",
)
_WEB: Expected = (_is_web, "a URL that begins with http:// or https://")
_EXPECTED: Mapping[str, Expected] = {
    "MEDALLION_FIRST_DAY": (
        _is_first_day,
        f"a day such as {DEFAULT_FIRST_DAY}, today (UTC) at the latest; unset it for that one",
    ),
    "MEDALLION_LANDING": _FOLDER_OR_STORE,
    "MEDALLION_LAKEHOUSE": _FOLDER_OR_STORE,
    "MEDALLION_PRICES": _PLACE,
    "MEDALLION_JARS": (lambda value: "://" not in value and _is_place(value), "a folder"),
    "MEDALLION_SPARK": (lambda value: not value or is_master(value), MASTERS),
    "MEDALLION_SPARK_CONF": (
        lambda value: not value or is_properties(value),
        "a file of Spark's properties, `spark.name value` a line",
    ),
    "MEDALLION_SHARED_FOLDERS": (lambda value: value in ("", "on", "off"), "on or off"),
    "MEDALLION_SENSORS": (lambda value: value in ("", "on", "off"), "on or off"),
    "MEDALLION_MIN_FREE_MB": (
        lambda value: not value.strip() or value.strip().isdecimal(),
        "a whole number of megabytes such as 200, or 0 for no check",
    ),
    "MEDALLION_SLACK_CHANNEL": (lambda value: not re.search(r"\s", value), "a channel such as #data-alerts"),
    "MEDALLION_ALERT_WEBHOOK": _WEB,
    "MEDALLION_UI": _WEB,
    "MEDALLION_WEB_SHOP": (
        lambda value: not value or value.startswith(("postgresql://", "postgres://")),
        "postgresql://user:password@host:5432/name",
    ),
    "DAGSTER_HOME": (
        lambda value: not value or Path(value).expanduser().is_absolute(),
        "an absolute path",
    ),
}
_SECRET = {"MEDALLION_ALERT_WEBHOOK", "MEDALLION_WEB_SHOP"}

check_environment()
FIRST_DAY = os.environ.get("MEDALLION_FIRST_DAY", DEFAULT_FIRST_DAY)
SENSOR_STATUS = dg.DefaultSensorStatus.RUNNING if is_on() else dg.DefaultSensorStatus.STOPPED
SCHEDULE_STATUS = dg.DefaultScheduleStatus.RUNNING if is_on() else dg.DefaultScheduleStatus.STOPPED
