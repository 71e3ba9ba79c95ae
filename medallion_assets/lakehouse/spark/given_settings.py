"""What is set of Spark: MEDALLION_SPARK says where it runs, MEDALLION_SPARK_CONF names a file of properties.

Later ones win: the file, the variable, what the caller sets (the `config` of the resource `spark`).
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from medallion_assets.errors import MedallionError

WHERE, FILE = "MEDALLION_SPARK", "MEDALLION_SPARK_CONF"
MASTERS = "local[*], local[2], spark://host:7077, k8s://https://host:443, yarn or sc://host:15002"
_HOST = r"(?:[\w.-]+|\[[0-9a-fA-F:]+\])"
_MASTER = re.compile(
    r"local(\[(\*|[1-9]\d*)(,\d+)?\])?|yarn|k8s://\S+"
    rf"|spark://{_HOST}:\d+(,{_HOST}:\d+)*|sc://{_HOST}(:\d+)?(/\S*)?"
)
_PLACES = ("spark.master", "spark.remote")


class PropertiesError(MedallionError):
    """The file of Spark's properties cannot be read. The message names file and line."""


def is_master(text: str) -> bool:
    """Whether the text says where Spark runs, as `MASTERS` shows."""
    return bool(_MASTER.fullmatch(text))


def is_properties(path: str) -> bool:
    """Whether there is such a file, and each line of it is a setting of Spark."""
    try:
        read_properties(path)
    except PropertiesError:
        return False
    return True


def given_settings(overrides: Mapping[str, Any] | None = None) -> dict[str, str]:
    """All that is set: one of spark.master and spark.remote at most. PropertiesError."""
    file, where = os.environ.get(FILE), os.environ.get(WHERE)
    found = read_properties(file) if file else {}
    if where:
        found = _moved(found, {"spark.remote" if where.startswith("sc://") else "spark.master": where})
    return _moved(found, {name: str(value) for name, value in (overrides or {}).items()})


def _moved(settings: Mapping[str, str], later: Mapping[str, str]) -> dict[str, str]:
    """With the later settings; where these say where Spark runs, what the others say of it is gone."""
    moves = any(name in later for name in _PLACES)
    return {name: value for name, value in settings.items() if not (moves and name in _PLACES)} | dict(later)


def read_properties(path: str) -> dict[str, str]:
    """The settings in a file such as `spark-defaults.conf`: a name and a value a line. PropertiesError."""
    try:
        text = Path(path).expanduser().read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PropertiesError(f"{path} cannot be read ({error}): correct {FILE}") from error
    found: dict[str, str] = {}
    for line in re.sub(r"\\\n[ \t]*", "", text).splitlines():
        if not line.strip() or line.lstrip()[0] in "#!":
            continue
        name, *value = re.split(r"\s*[=:\s]\s*", line.strip(), maxsplit=1)
        if not name.startswith("spark.") or not value:
            raise PropertiesError(f"{path}: {line.strip()!r} is no setting: write `spark.name value`")
        found[name] = value[0]
    return found
