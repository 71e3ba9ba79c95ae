"""Checks of the installation and the lake, one line each.

FAIL: no run can succeed (exit code 1). WARN: somebody should act. Spark is started only where it is set up otherwise
than by our defaults, or the lake is on a store: then a session writes, reads and deletes a table.
"""

import platform
import sys
import time
from collections.abc import Callable, Collection, Iterable
from importlib import metadata

from packaging.requirements import Requirement

from medallion_assets.commands.doctor_dagster import dagster_home
from medallion_assets.commands.doctor_lake import followed_topics, landed_files, last_error, late, silver
from medallion_assets.commands.doctor_line import FAIL, WARN, Line
from medallion_assets.contracts.table import Table
from medallion_assets.lakehouse.monitoring import preflight
from medallion_assets.lakehouse.monitoring.source_changes import never_read, sources_with_news
from medallion_assets.lakehouse.monitoring.spark_probe import try_session
from medallion_assets.lakehouse.spark.given_settings import given_settings
from medallion_assets.lakehouse.spark.session import cores_of
from medallion_assets.lakehouse.storage.stores import is_url
from medallion_assets.orchestration.resources import LakehouseResource, SparkResource
from medallion_assets.tables import find_tables

INSTALL = "remove .venv and `make jars` (PYTHON= names another Python)"


def main() -> int:
    place = LakehouseResource()
    root, landing, tables = place.lake_root, place.landing_root, find_tables().values()
    lines = [
        *looked_at("versions", versions),
        *looked_at("machine", lambda: machine(root)),
        *looked_at("Spark", lambda: spark(root, landing)),
        *looked_at("sources", lambda: sources(landing, root, tables)),
        *looked_at("Dagster", dagster_home),
        *looked_at("silver", lambda: silver(root, tables)),
        *looked_at("landed files", lambda: landed_files(landing, root, tables)),
        *looked_at("streams", lambda: followed_topics(root)),
        *looked_at("late tables", lambda: late(root, tables)),
        *looked_at("last error", lambda: last_error(root)),
    ]
    width = max(len(line.what) for line in lines)
    for line in lines:
        state, todo = (line.level, f"  -> {line.todo}") if line.todo else ("OK", "")
        print(f"{state:<4}  {line.what:<{width}}  {line.where}{todo}")
    print(summary(lines))
    return 1 if any(line.todo and line.level == FAIL for line in lines) else 0


def summary(lines: Collection[Line]) -> str:
    """Such as "OK: 24 of 24 are well"."""
    levels = [line.level for line in lines if line.todo]
    worst = FAIL if FAIL in levels else WARN if levels else "OK"
    return f"{worst}: {len(lines) - len(levels)} of {len(lines)} are well"


def looked_at(what: str, look: Callable[[], Iterable[Line]]) -> Iterable[Line]:
    """The lines that `look` returns; an error of it is a line, too, so that the other checks are made."""
    try:
        yield from look()
    except Exception as error:
        yield Line(what, type(error).__name__, str(error).strip().partition("\n")[0] or "fix it", FAIL)


def versions() -> Iterable[Line]:
    """The installed versions, compared with those that pyproject.toml requires."""
    python = f"python{metadata.metadata('medallion_assets')['Requires-Python']}"
    for pin in map(Requirement, [python, *(metadata.requires("medallion_assets") or ())]):
        if pin.marker is None:  # of an extra otherwise
            found = platform.python_version() if pin.name == "python" else metadata.version(pin.name)
            yield Line(pin.name, found, "" if found in pin.specifier else f"need {pin}: {INSTALL}", FAIL)


def machine(root: str) -> Iterable[Line]:
    yield from map(_finding, (preflight.java(), preflight.jars(), preflight.lake_writable(root)))
    yield _finding(preflight.free_disk(root, preflight.minimum_free()))


def spark(root: str, landing: str) -> Iterable[Line]:
    resource = SparkResource()
    master, is_set = resource.master, bool(given_settings()) or is_url(root) or is_url(landing)
    found = preflight.spark(master, root, landing)
    yield from map(_finding, found)
    if is_set and all(one.ok for one in found):
        began = time.monotonic()
        running = resource.session((root, landing))
        try_session(running, root)
        seconds = f"wrote, read and deleted a table in {time.monotonic() - began:.0f} s"
        cores = "" if master.is_connect else f", {cores_of(running)} cores"
        yield Line("Spark session", f"{master.shown}{cores}, {seconds}")
    elif not is_set:
        yield Line("Spark session", f"{master.shown}, {master.cores} cores, not tried")


def sources(landing: str, root: str, tables: Collection[Table]) -> Iterable[Line]:
    found = [preflight.source_readable(landing, table) for table in tables if table.layer == "bronze"]
    yield from (_finding(one) for one in found if one)
    todo = "name each folder date=YYYY-MM-DD, or move it away"
    for key, names in never_read(tables, landing).items():
        yield Line(f"beside {key}", f"never read, beside the days: {names}", todo)
    _, notes = sources_with_news(tables, root)
    yield from (Line("followed source", note, "let it be reached from here", FAIL) for note in notes)


def _finding(one: preflight.Finding) -> Line:
    return Line(one.what, one.where, one.problem, FAIL)


if __name__ == "__main__":
    sys.exit(main())
