"""Checks of the installation and the lake, one line each.

FAIL: no run can succeed (exit code 1). WARN: somebody should act. Spark is started only where it is set up otherwise
than by our defaults, or the lake is on a store: then a session writes, reads and deletes a table.
"""

import os
import platform
import sys
import time
from collections.abc import Callable, Collection, Iterable
from datetime import datetime, timedelta, timezone
from importlib import metadata
from typing import NamedTuple

import dagster as dg
from packaging.requirements import Requirement

from medallion_assets.commands.job_runner import dagster_instance
from medallion_assets.contracts.table import Table
from medallion_assets.definitions import defs
from medallion_assets.lakehouse.control import run_log, streams
from medallion_assets.lakehouse.control.file_ledger import FoldedEntry, LandedEntry, entries
from medallion_assets.lakehouse.control.small_table import now
from medallion_assets.lakehouse.landing.listing import list_files
from medallion_assets.lakehouse.monitoring import preflight
from medallion_assets.lakehouse.monitoring.freshness import late_tables
from medallion_assets.lakehouse.monitoring.source_changes import landing_state, never_read, sources_with_news
from medallion_assets.lakehouse.monitoring.spark_probe import try_session
from medallion_assets.lakehouse.spark.given_settings import given_settings
from medallion_assets.orchestration.partitions import CALENDAR
from medallion_assets.orchestration.resources import LakehouseResource, SparkResource
from medallion_assets.tables import find_tables

WARN, FAIL = "WARN", "FAIL"
DAY = timedelta(days=1)
SENSOR_SILENCE = timedelta(minutes=10)  # a sensor that is on ticks every 15 seconds
INSTALL = "remove .venv and `make jars` (PYTHON= names another Python)"
_RUNNING = [dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]


class Line(NamedTuple):
    """One line of the output: OK where there is nothing to do, else `level`."""

    what: str
    where: str
    todo: str = ""
    level: str = WARN


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
    master, is_set = resource.master, bool(given_settings()) or "://" in root
    found = preflight.spark(master, root, landing)
    yield from map(_finding, found)
    if is_set and all(one.ok for one in found):
        began = time.monotonic()
        running = resource.session((root, landing))
        try_session(running, root)
        seconds = f"wrote, read and deleted a table in {time.monotonic() - began:.0f} s"
        cores = "" if master.is_connect else f", {running.sparkContext.defaultParallelism} cores"
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


def dagster_home() -> Iterable[Line]:
    home = os.environ.get("DAGSTER_HOME", "")
    yield Line("DAGSTER_HOME", home or "not set", "" if home else "use `make`, or set it: no run is kept")
    if home:
        with dagster_instance() as instance:
            yield from (*pools(instance), *open_runs(instance), *sensors(instance))


def pools(instance: dg.DagsterInstance) -> Iterable[Line]:
    """A table's only writer holds the slot of its pool; a slot that a dead run holds blocks all other runs."""
    store = instance.event_log_storage
    names = {limit.name for limit in store.get_pool_limits()} | set(store.get_concurrency_keys())
    held = [(name, run) for name in sorted(names) for run in store.get_concurrency_info(name).active_run_ids]
    for name, run in held:
        holder = instance.get_run_by_id(run)
        ended = holder is None or holder.is_finished
        todo = "free it in the UI (Deployment, Concurrency); `make dev` does after a minute" if ended else ""
        state = "has ended" if ended else "is running"
        yield Line(f"pool {name}", f"held by run {run[:8]}, which {state}", todo)
    yield Line("pools", f"{len(names)} known, {len(held)} in use")


def open_runs(instance: dg.DagsterInstance) -> Iterable[Line]:
    """Runs and their age; the limit is the instance's max_runtime_seconds, or else a day."""
    limit = timedelta(seconds=instance.run_monitoring_max_runtime_seconds) or DAY
    records = instance.get_run_records(dg.RunsFilter(statuses=_RUNNING))
    began = {r.dagster_run.run_id: r.start_time or r.create_timestamp.timestamp() for r in records}
    for run, age in ((run, _age(moment)) for run, moment in began.items()):
        todo = "terminate it in the UI: its process may be gone" if age > limit else ""
        yield Line(f"run {run[:8]}", f"running for {_span(age)}, the limit is {_span(limit)}", todo)


def sensors(instance: dg.DagsterInstance) -> Iterable[Line]:
    states = instance.all_instigator_state()
    for name in sorted(sensor.name for sensor in defs.get_repository_def().sensor_defs):
        ids = [(s.instigator_origin_id, s.selector_id) for s in states if s.instigator_name == name]
        ticks = [tick for one in ids for tick in instance.get_ticks(*one, limit=1)]
        if not ticks:
            yield Line(f"sensor {name}", "has not been on; `make dev` turns it on")
            continue
        last = max(ticks, key=lambda tick: tick.timestamp)
        age = _age(last.timestamp)
        todo = "start `make dev`, or turn it on" if age > SENSOR_SILENCE else ""
        todo = "read its error in the UI (Automation)" if last.is_failure else todo
        yield Line(f"sensor {name}", f"{last.status.value} {_span(age)} ago", todo)


def silver(root: str, tables: Iterable[Table]) -> Iterable[Line]:
    """Rows in quarantine, and stale days (merged under an older contract), as the ledger has them."""
    for table in (table for table in tables if table.layer == "silver"):
        days = entries(root, FoldedEntry, table.key)
        files = [file for listed in days.values() for file in listed.values()]
        quarantined = sum(file.quarantined for file in files)
        stale = {file.day for file in files if file.fingerprint != table.fingerprint}
        todo = f"fix files or contract, then `make replay TABLE={table.name}`" if quarantined or stale else ""
        yield Line(
            table.key, f"{quarantined} rows in quarantine, {len(stale)} of {len(days)} days stale", todo
        )


def landed_files(landing: str, root: str, tables: Collection[Table]) -> Iterable[Line]:
    """The days whose files are not yet in bronze and silver as they are now; unreadable folders are in `sources`."""
    landed, ingested, notes = landing_state(tables, landing, root)
    waiting = sorted(at for at, state in landed.items() if ingested.get(at) != state)
    for table in tables:
        days = [day for key, day in waiting if key == table.key]
        if days:
            oldest = f"the oldest {days[0]}{_oldest_file(landing, root, table, days)}"
            in_calendar = CALENDAR.has_partition_key(days[0])
            todo = f"materialize {days[0]}" if in_calendar else "correct its date, or MEDALLION_FIRST_DAY"
            yield Line(
                table.key, f"{len(days)} {'day waits' if len(days) == 1 else 'days wait'}, {oldest}", todo
            )
    if not waiting and not notes:
        yield Line("landed files", f"{len(landed)} days, all ingested")


def _oldest_file(landing: str, root: str, table: Table, days: Collection[str]) -> str:
    """Of the files that are not in bronze; where all are, of those that are not in silver."""
    if not table.landing_folder:
        return ""
    ledger = entries(root, LandedEntry, table.key, days).values()
    known = {path: file.identity for files in ledger for path, file in files.items()}
    files = list_files(landing, table.landing_folder, days)
    new = [f for f in files if known.get(f.path) != f.identity] or files
    return f", oldest file {_span(_age(min(f.modified_at.timestamp() for f in new)))} old" if new else ""


def followed_topics(root: str) -> Iterable[Line]:
    """The processes of `make stream`, each with the topics that it follows."""
    for one in streams.streams(root):
        lag = "the brokers do not answer" if one.lag_messages < 0 else f"{one.lag_messages} messages behind"
        silent = streams.is_silent(one, now())
        todo = "start it again: `make stream`" if silent else f"see its log: {one.error}" if one.error else ""
        where = f"{one.status}, {one.place}, {_span(_age(one.heartbeat_at.timestamp()))} ago, {lag}"
        yield Line(f"stream of {one.table_name}", where, todo if one.status == streams.RUNNING else "")


def late(root: str, tables: Collection[Table]) -> Iterable[Line]:
    for key, text in late_tables(root, tables, now()).items():
        yield Line(key, text.removeprefix(f"{key}: "), "land its files, or see why no run ingested them")


def last_error(root: str) -> Iterable[Line]:
    errors = run_log.since(root, run_log.PipelineError, now() - DAY)
    for last in errors[-1:]:
        message = last.message.strip().partition("\n")[0]
        place = " ".join(part for part in (last.asset or last.pipeline, last.day) if part)
        where = f"{place}, {_span(_age(last.timestamp.timestamp()))} ago: {message}"
        by_itself = streams.is_of_stream(last.run_id)
        then = "its stream goes on by itself" if by_itself else f"materialize the day (run {last.run_id[:8]})"
        yield Line("last error", where, f"fix it and {then}")
    if not errors:
        yield Line("last error", "none in the last 24 hours")


def _age(timestamp: float) -> timedelta:
    return datetime.now(timezone.utc) - datetime.fromtimestamp(timestamp, timezone.utc)


def _span(age: timedelta) -> str:
    minutes = int(age.total_seconds() // 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h" if minutes < 2880 else f"{age.days} d"


if __name__ == "__main__":
    sys.exit(main())
